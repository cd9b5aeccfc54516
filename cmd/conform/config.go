package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"go.yaml.in/yaml/v3"
)

// precedence is for the help of the commands that have --config.
const precedence = `Each flag can be an environment variable, such as CONFORM_REQUEST_TIMEOUT, or a key in the YAML
file of --config, as request-timeout; a flag wins. Do not put secrets in that file: docs/live.md.`

// configurable gives a command --config, and fills its flags before it runs.
func configurable(cmd *cobra.Command) {
	cmd.Flags().String("config", "", "YAML file with values for the flags; docs/live.md has an example")
	if err := cmd.MarkFlagFilename("config", "yaml", "yml"); err != nil {
		panic(err) // the flag is defined above
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return configure(cmd) }
}

// setting is a value for a flag that was not given as one.
type setting struct {
	values []string
	list   bool   // several values, as they stand
	where  string // for messages: "CONFORM_RATE", "conform.yaml:3: rate"
	rank   int    // what is given nearer wins
}

// Where a value comes from, the nearest last.
const (
	rankFile = iota + 1
	rankEnvironment
	rankFlag
	rankEntry // in a list of targets: nearer to its target than a flag that is for all
)

// alternatives choose the evidence: what is given nearer wins as a whole.
var alternatives = [][]string{{"cassette"}, {"targets"}, {"application", "target"}, {"sip", "domain", "autodiscover"}}

// perCommand are flags that mean something else in each command, so that neither the
// environment nor the top of a file has them.
var perCommand = []string{"out"}

// configure fills the flags that were not given from the environment and the file. They
// do not count as given: a script must not be told that a flag means nothing here
// which it did not write.
func configure(cmd *cobra.Command) error {
	settings, err := fromFile(cmd)
	if err != nil {
		return err
	}
	given, err := fromEnvironment(cmd)
	if err != nil {
		return err
	}
	maps.Copy(settings, given)
	for name, s := range settings {
		secret, isSecret := strings.CutSuffix(name, "-file")
		if isSecret && s.rank == rankFile && os.Getenv(variableOf(secret)) != "" {
			delete(settings, name) // the environment has the secret itself, and is nearer
		}
	}
	giveWay(cmd, settings, alternatives)
	var wrong mistakes
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		flag := cmd.Flags().Lookup(name)
		if flag.Changed {
			continue
		}
		wrong.add(settings[name].apply(flag))
		if err := cmd.Flags().SetAnnotation(name, configured, []string{settings[name].where}); err != nil {
			return err
		}
	}
	return wrong.err()
}

// configured marks a flag whose value is from the environment or a file, and says where.
const configured = "conform-configured"

// giveWay takes out what is overruled by an alternative that is given nearer.
func giveWay(cmd *cobra.Command, settings map[string]setting, alternatives [][]string) {
	rank := func(name string) int {
		if flag := cmd.Flags().Lookup(name); flag != nil && flag.Changed {
			return rankFlag
		}
		return settings[name].rank
	}
	nearest := func(names []string) int {
		n := 0
		for _, name := range names {
			n = max(n, rank(name))
		}
		return n
	}
	for i, group := range alternatives {
		for j, other := range alternatives {
			if i != j && nearest(other) > nearest(group) {
				for _, name := range group {
					delete(settings, name)
				}
			}
		}
	}
}

func (s setting) apply(flag *pflag.Flag) error {
	slice, isSlice := flag.Value.(pflag.SliceValue)
	var err error
	switch {
	case isSlice:
		err = slice.Replace(s.values)
	case s.list:
		return usage("%s: expected one value, found a list", s.where)
	default:
		err = flag.Value.Set(s.values[0])
	}
	if err != nil {
		return usage("%s: expected %s as --%s takes it", s.where, kindOf(flag), flag.Name) // the value may be a secret
	}
	return nil
}

// kindOf tells what a flag takes.
func kindOf(flag *pflag.Flag) string {
	switch kind := flag.Value.Type(); kind {
	case "bool":
		return "true or false"
	case "duration":
		return "a time such as 10s"
	case "float64", "int", "uint64":
		return "a number"
	}
	return "a value"
}

// variableOf names the environment variable of a flag.
func variableOf(flag string) string {
	return "CONFORM_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settable returns the flags that a file or the environment can give to a command.
func settable(cmd *cobra.Command) []string {
	var names []string
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && f.Name != "config" && f.Name != "version" {
			names = append(names, f.Name)
		}
	})
	return names
}

func fromEnvironment(cmd *cobra.Command) (map[string]setting, error) {
	settings := map[string]setting{}
	for _, name := range settable(cmd) {
		variable := variableOf(name)
		value, there := os.LookupEnv(variable)
		switch {
		case !there || slices.Contains(perCommand, name):
			continue
		case strings.TrimSpace(value) == "":
			return nil, usage("%s is empty: give it a value, or unset it", variable)
		}
		s := setting{values: []string{value}, where: variable, rank: rankEnvironment}
		if _, several := cmd.Flags().Lookup(name).Value.(pflag.SliceValue); several {
			s.values = strings.Fields(value)
		}
		settings[name] = s
	}
	return settings, nil
}

// maxConfig bounds a configuration, in bytes.
const maxConfig = 1 << 20

// fromFile reads the file of --config, if one is given.
func fromFile(cmd *cobra.Command) (map[string]setting, error) {
	flag := cmd.Flags().Lookup("config")
	path, from := flag.Value.String(), "--config"
	if !flag.Changed {
		var there bool
		if path, there = os.LookupEnv("CONFORM_CONFIG"); !there {
			return map[string]setting{}, nil
		}
		from = "CONFORM_CONFIG"
	}
	if path == "" {
		return nil, usage("%s is empty: give it a value, or leave it out", from)
	}
	c := config{path: path, cmd: cmd, settings: map[string]setting{}}
	if err := c.load(from, maxConfig, c.read); err != nil {
		return nil, err
	}
	return c.settings, nil
}

// load reads the file, which from names and which has so many bytes at most, and guards it.
func (c *config) load(from string, most int64, read func(content []byte) error) error {
	file, err := os.Open(c.path)
	if err != nil {
		return usage("%s: %w", from, err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return usage("%s: %w", from, err)
	}
	if int64(len(content)) > most {
		return usage("%s %s: is larger than %d KiB, the most that is read", from, c.path, most>>10)
	}
	if err := read(content); err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return usage("%s: %w", from, err)
	}
	return c.guard(info)
}

// config is a configuration being read for one command.
type config struct {
	path     string
	cmd      *cobra.Command
	settings map[string]setting
	secrets  string // the key that names the file of a secret, "" if none does
	skipped  int    // lines of the file that are not read now: see targetList.readAny
}

func (c *config) fail(node *yaml.Node, format string, args ...any) error {
	return usage("%s:%d: %s", c.path, node.Line, fmt.Sprintf(format, args...))
}

// document reads the one YAML document that there is.
func (c *config) document(content []byte) (*yaml.Node, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(string(content)))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, usage("%s: holds no setting: write one, or leave it out", c.path)
	} else if err != nil {
		problem := regexp.MustCompile(`'[^']*'`).ReplaceAllLiteralString(strings.TrimPrefix(err.Error(), "yaml: "), "one") // names of anchors, which may be a value
		problem = regexp.MustCompile(`^line \d+`).ReplaceAllStringFunc(problem, func(at string) string {
			line, _ := strconv.Atoi(strings.TrimPrefix(at, "line "))
			return fmt.Sprintf("line %d", line+c.skipped)
		})
		return nil, usage("%s: is no YAML: %s; a value that begins with *, & or ! needs quotes", c.path, problem)
	}
	if decoder.Decode(new(yaml.Node)) == nil {
		return nil, usage("%s: holds several YAML documents: expected one", c.path)
	}
	return document.Content[0], nil
}

func (c *config) read(content []byte) error {
	top, err := c.document(content)
	if err != nil {
		return err
	}
	commands := map[string]*cobra.Command{}
	shared := []string{}
	for _, cmd := range c.cmd.Root().Commands() {
		if cmd.Flags().Lookup("config") == nil {
			continue
		}
		commands[cmd.Name()] = cmd
		for _, name := range settable(cmd) {
			if !slices.Contains(shared, name) && !slices.Contains(perCommand, name) {
				shared = append(shared, name)
			}
		}
	}
	own := map[string]setting{}
	err = c.mapping(top, append(slices.Sorted(maps.Keys(commands)), shared...), func(key, value *yaml.Node) error {
		cmd := commands[key.Value]
		if cmd == nil {
			return c.setting(c.settings, key, value)
		}
		into := own
		if cmd != c.cmd {
			into = map[string]setting{} // read all the same, so that a mistake is told now
		}
		return c.mapping(value, settable(cmd), func(key, value *yaml.Node) error { return c.setting(into, key, value) })
	})
	if err != nil {
		return err
	}
	maps.Copy(c.settings, own)
	maps.DeleteFunc(c.settings, func(name string, _ setting) bool { return !slices.Contains(settable(c.cmd), name) })
	return nil
}

// mapping calls each with the keys and values of a mapping that has known keys only, and
// returns all mistakes in it.
func (c *config) mapping(node *yaml.Node, known []string, each func(key, value *yaml.Node) error) error {
	if node.Kind != yaml.MappingNode {
		return c.fail(node, "expected a mapping of settings, such as rate: 2")
	}
	var wrong mistakes
	lines := map[string]int{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case secretKey().MatchString(key.Value):
			wrong.add(c.fail(key, "%s: do not put secrets in this file: put it into a file of its own that only you can read, and name that (token-file, password-file), "+
				"or keep it in the keyring or the environment", key.Value))
		case !slices.Contains(known, key.Value):
			wrong.add(c.fail(key, "unknown key %q%s; the keys are those of the flags, without the dashes", key.Value, suite.Nearest(key.Value, known)))
		case lines[key.Value] > 0:
			wrong.add(c.fail(key, "%s is in line %d already", key.Value, lines[key.Value]))
		default:
			lines[key.Value] = key.Line
			wrong.add(each(key, value))
		}
	}
	return wrong.err()
}

// setting reads one value, or a list of them.
func (c *config) setting(into map[string]setting, key, value *yaml.Node) error {
	s := setting{where: fmt.Sprintf("%s:%d: %s", c.path, key.Line, key.Value), rank: rankFile}
	items := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		items, s.list = value.Content, true
	}
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" || item.Value == "" {
			return c.fail(key, "%s: expected a value, or a list of them; leave the key out for the default", key.Value)
		}
		if secretValue().MatchString(item.Value) {
			return c.fail(item, "%s: the value looks like a secret, and secrets do not belong in this file: put it into a file of its own, and name that with token-file",
				key.Value)
		}
		text := item.Value
		if slices.Contains(paths, key.Value) && !filepath.IsAbs(text) {
			text = filepath.Join(filepath.Dir(c.path), text)
		}
		s.values = append(s.values, text)
	}
	if len(s.values) == 0 {
		return c.fail(key, "%s: the list is empty: leave the key out", key.Value)
	}
	if strings.HasSuffix(key.Value, "-file") || key.Value == "client-key" {
		c.secrets = key.Value
	}
	into[key.Value] = s
	return nil
}

// paths are settings that name files which stand by the configuration, wherever
// conform is called.
var paths = []string{"targets", "token-file", "password-file", "cacert", "client-cert", "client-key", "passwords"}

var (
	secretKey = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)^((access|anonymous|restricted|client)[-_]?)?(token|password|passwd|pwd|passphrase|secret|key|api[-_]?key|authorization|bearer|cookie|credentials?)$`)
	})

	// A token of UCWA or of OAuth, a private key, a password in a URL.
	secretValue = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)cwt=|^bearer\s|^eyJ[\w-]{20,}|-----BEGIN|://[^/\s]*:[^/\s]*@|//[^/\s@]+@`)
	})
)

// guard refuses a file that others can write, since they could send the secret that it
// names to a server of theirs, and warns of one that they can read.
func (c *config) guard(info fs.FileInfo) error {
	if runtime.GOOS == "windows" || !info.Mode().IsRegular() {
		return nil
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o022 != 0:
		return usage("%s can be written by %s (mode %04o), who could have a token or a password sent anywhere: chmod %s it", c.path, writers(mode), mode, unwritable(mode))
	case c.secrets != "" && mode&0o044 != 0:
		fmt.Fprintf(c.cmd.ErrOrStderr(), "warning: %s names a secret (%s) and can be read by others on this machine (mode %04o): chmod 600 it\n", c.path, c.secrets, mode)
	}
	return nil
}
