package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"
)

// entry is a target of the list that --targets names.
type entry struct {
	name     string
	where    string // "pools.yaml:7"
	cmd      *cobra.Command
	live     liveFlags
	settings map[string]setting
	target   suite.Target
}

// targetList is the file being read: a configuration whose key targets holds a list of
// configurations, for which the rest are defaults.
type targetList struct {
	config
	keys    []string           // what an entry takes
	wide    []string           // flags of run that are about all that it does, and mean nothing for one target
	given   map[string]setting // what the run was given for all
	deal    *dealer
	names   map[string]string // where the target of a name stands
	entries []*entry          // of the shard that is wanted
	folder  string            // --passwords
}

// secretVariables are the keys of an entry that name the environment variable with a
// secret, and the variables in whose place those are.
var secretVariables = map[string]string{
	"token-env":            "CONFORM_TOKEN",
	"password-env":         "CONFORM_PASSWORD",
	"anonymous-token-env":  "CONFORM_ANONYMOUS_TOKEN",
	"restricted-token-env": "CONFORM_RESTRICTED_TOKEN",
}

// secretPlaces are alternatives: of what says where a secret is, the nearest holds.
var secretPlaces = [][]string{{"token-file"}, {"token-env"}}
var passwordPlaces = [][]string{{"password-file"}, {"password-env"}}

// entries reads the list, and gives each target of the shard what is nearest to it: what stands in its
// entry, what the run was given, what stands above the list. It also returns what the list is as a whole. With an error come
// those entries with which nothing is wrong so far.
func (f *runFlags) entries(run *cobra.Command, mine, all int) ([]*entry, reports.ListRun, error) {
	list := newTargetList(f.targets, run, newDealer(mine, all))
	list.folder = f.passwords
	listed := reports.ListRun{}
	files, err := filesOfList(f.targets)
	if err != nil {
		return nil, listed, err
	}
	sum := sha256.New()
	wrong := mistakes{}
	for _, path := range files {
		list.path, list.settings = path, map[string]setting{}
		wrong.add(list.load("--targets", maxList, func(content []byte) error {
			fmt.Fprintf(sum, "%d\n%s", len(content), content)
			return list.readAny(content)
		}))
	}
	listed.SHA256, listed.Shards = hex.EncodeToString(sum.Sum(nil)), list.deal.shards
	for _, names := range listed.Shards {
		listed.Targets += len(names)
	}
	switch own := len(listed.Shards[mine-1]); {
	case len(wrong.texts) > 0:
	case own == 0: // a machine that checks nothing must not be green
		wrong.add(usage("shard %d of %d is empty: there are %s of %s, and all of one user go to one shard, so use at most %d shards",
			mine, all, number(listed.Targets, "targets"), number(len(list.deal.of), "users"), len(list.deal.of)))
	case own > maxTargets:
		wrong.add(usage("%s: %d targets are more than the %d that one run takes: give --shard I/N, with N of %d or more",
			f.targets, own, maxTargets, (listed.Targets+maxTargets-1)/maxTargets))
	}
	return list.entries, listed, wrong.err()
}

// filesOfList are the files of a list: itself, or those of a folder, in the order of their names.
func filesOfList(path string) ([]string, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return []string{path}, nil // to be read, or to be told that it cannot be
	}
	names, err := os.ReadDir(path)
	if err != nil {
		return nil, usage("--targets: %w", err)
	}
	var files []string
	for _, d := range names {
		name := d.Name()
		if ext := strings.ToLower(filepath.Ext(name)); (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(name, ".") {
			files = append(files, filepath.Join(path, name))
		}
	}
	if files == nil {
		return nil, usage("--targets %s: the folder holds no .yaml or .yml file", path)
	}
	return files, nil
}

func newTargetList(path string, run *cobra.Command, deal *dealer) *targetList {
	list := &targetList{config: config{path: path, cmd: run, settings: map[string]setting{}}, deal: deal, names: map[string]string{}}
	list.keys = append(slices.Sorted(maps.Keys(secretVariables)), "name")
	one := newEntry()
	one.cmd.Flags().VisitAll(func(flag *pflag.Flag) { list.keys = append(list.keys, flag.Name) })
	list.given = givenTo(run, one.cmd)
	list.wide = slices.DeleteFunc(settable(run), func(name string) bool { return slices.Contains(list.keys, name) || name == "targets" })
	return list
}

// maxList bounds a file of the list, in bytes: 100,000 targets are some 10 MB.
const maxList = 64 << 20

// partSize is about how much of a long list is parsed at once, in bytes. The tree of YAML takes twenty times as much memory.
const partSize = 256 << 10

// readAny reads a list of any size. A long one is read in parts, each with what stands above the list.
func (l *targetList) readAny(content []byte) error {
	if len(content) <= maxConfig {
		return l.read(content)
	}
	begin := regexp.MustCompile(`(?m)^targets:[ \t]*(#.*)?\r?\n`).FindIndex(content)
	if begin == nil {
		return usage("%s: a list of more than %d KiB needs a line targets: with nothing behind that, and below it each entry on lines of its own, after a dash; or divide it into several files in a folder",
			l.path, maxConfig>>10)
	}
	head, rest := content[:begin[1]], content[begin[1]:]
	if len(head) > partSize {
		return usage("%s: what stands above the list is larger than %d KiB", l.path, partSize>>10)
	}
	wrong := mistakes{}
	dash, line := "", bytes.Count(head, []byte("\n"))
	headLines, entry, size, items := line, line, 0, 0
	part, partLine := slices.Clone(head), line
	flush := func() {
		l.skipped = partLine - headLines
		wrong.add(l.read(part))
		part, partLine, items = slices.Clone(head), line, 0
	}
	for text := range bytes.Lines(rest) {
		bare := bytes.TrimLeft(text, " ")
		indent := string(text[:len(text)-len(bare)])
		item := bytes.HasPrefix(bare, []byte("- ")) || string(bytes.TrimSpace(bare)) == "-"
		silent := len(bytes.TrimSpace(bare)) == 0 || bare[0] == '#'
		switch {
		case silent:
		case dash == "" && item:
			dash = indent + "-"
		case dash == "" || len(indent) < len(dash)-1 || len(indent) == len(dash)-1 && !item:
			return usage("%s:%d: expected an entry of the list, after a dash: in a file of more than %d KiB nothing stands below the list", l.path, line+1, maxConfig>>10)
		}
		begins := item && indent+"-" == dash
		if begins && items > 0 && len(part)-len(head) > partSize {
			flush()
		}
		if line++; begins {
			entry, size = line, 0
			items++
		}
		part = append(part, text...)
		if size += len(text); size > maxConfig {
			return usage("%s:%d: this entry is larger than %d KiB", l.path, entry, maxConfig>>10)
		}
	}
	flush()
	l.skipped = 0
	return wrong.err()
}

func (l *targetList) read(content []byte) error {
	top, err := l.document(content)
	if err != nil {
		return err
	}
	if top.Kind != yaml.MappingNode {
		return l.fail(top, "expected the key targets with a list, and above it what holds for all")
	}
	var list *yaml.Node
	wrong := mistakes{}
	wrong.add(l.mapping(top, func(key, value *yaml.Node) error {
		switch key.Value {
		case "targets":
			list = value
			return nil
		case "name":
			return l.fail(key, "name: each target has one of its own, in its entry")
		}
		return l.keep(l.settings, key, value)
	}))
	var none error
	switch {
	case list == nil:
		none = usage("%s: has no key targets: expected the list of what to certify; docs/targets.md has an example", l.path)
	case list.Kind != yaml.SequenceNode || len(list.Content) == 0:
		none = l.fail(list, "targets: expected a list, such as - {name: vienna, sip: \"sip:dana@contoso.com\"}")
	}
	if none != nil {
		wrong.add(none)
		return wrong.err()
	}
	above := newEntry()
	above.settings = l.settings
	wrong.add(above.apply(rankFile))
	sound := len(wrong.texts) == 0
	for _, node := range list.Content {
		moved(node, l.skipped)
		own, name, err := l.own(node)
		same := strings.ToLower(norm.NFC.String(name)) // a folder, also where case, or how an accent is written, does not tell them apart
		if other := l.names[same]; other != "" {
			wrong.add(err)
			wrong.add(l.fail(node, "name: %q is that of %s already, and both would be one folder and one column", name, other))
			continue
		}
		if same != "" {
			l.names[same] = l.at(node)
		}
		if mine := l.deal.deal(name, userOf(l.nearest(own))); !mine {
			wrong.add(err)
			continue
		}
		e := newEntry()
		e.name, e.where = name, l.at(node)
		if err == nil {
			err = l.entry(e, own)
		}
		if err == nil && sound { // else values that entries need may be missing above the list
			err = e.fill(l.folder)
		}
		if wrong.add(err); err == nil && sound {
			l.entries = append(l.entries, e)
		}
	}
	return wrong.err()
}

// moved gives what stands in a part of a file its place in the file.
func moved(node *yaml.Node, lines int) {
	if lines == 0 {
		return
	}
	node.Line += lines
	for _, n := range node.Content {
		moved(n, lines)
	}
}

func (l *targetList) at(node *yaml.Node) string { return fmt.Sprintf("%s:%d", l.path, node.Line) }

// nearest returns the value of a key for an entry, "" if it has none.
func (l *targetList) nearest(own map[string]setting) func(key string) string {
	excluded := map[string]bool{} // by what stands in the entry, of two ways to say the same
	for _, ways := range [][][]string{{{"sip", "domain", "autodiscover"}, {"application", "target"}}, secretPlaces} {
		for i, way := range ways {
			for _, other := range ways[1-i] {
				excluded[other] = excluded[other] || slices.ContainsFunc(way, func(key string) bool { return len(own[key].values) > 0 })
			}
		}
	}
	return func(key string) string {
		if excluded[key] && len(own[key].values) == 0 {
			return ""
		}
		for _, from := range []map[string]setting{own, l.given, l.settings} {
			if s := from[key]; len(s.values) > 0 {
				return s.values[0]
			}
		}
		return ""
	}
}

// maxTargets bounds what one process holds in memory, and judges.
const maxTargets = 1000

func newEntry() *entry {
	e := &entry{cmd: &cobra.Command{Use: "run"}, settings: map[string]setting{}}
	e.live.add(e.cmd)
	return e
}

// mapping is that of a configuration, but tells what belongs to the run from what is unknown.
func (l *targetList) mapping(node *yaml.Node, each func(key, value *yaml.Node) error) error {
	return l.config.mapping(node, slices.Concat(l.keys, l.wide, []string{"targets"}), func(key, value *yaml.Node) error {
		if slices.Contains(l.wide, key.Value) {
			return l.fail(key, "%s is about the whole run: give it as --%s, or in the file of --config", key.Value, key.Value)
		}
		return each(key, value)
	})
}

// keep reads one value. What names an environment variable must not be the secret itself.
func (l *targetList) keep(into map[string]setting, key, value *yaml.Node) error {
	if err := l.setting(into, key, value); err != nil {
		return err
	}
	if usual, names := secretVariables[key.Value]; names && (into[key.Value].list || !isVariable(into[key.Value].values[0])) {
		return l.fail(key, "%s: expected the name of an environment variable, in place of %s; do not put the secret itself into this file", key.Value, usual)
	}
	return nil
}

func isVariable(name string) bool {
	return len(name) <= 200 && strings.Trim(name, letters+"_0123456789") == "" && strings.Trim(name[:1], "0123456789") != ""
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// own reads what stands in an entry of the list.
func (l *targetList) own(node *yaml.Node) (own map[string]setting, name string, err error) {
	own = map[string]setting{}
	named := node.Kind != yaml.MappingNode
	wrong := mistakes{}
	wrong.add(l.mapping(node, func(key, value *yaml.Node) error {
		switch key.Value {
		case "targets":
			return l.fail(key, "targets: an entry of a list cannot name another list")
		case "name":
			named = true
			var problem string
			if name, problem = targetName(value); problem != "" {
				return l.fail(key, "name: %s", problem)
			}
			return nil
		}
		return l.keep(own, key, value)
	}))
	if !named {
		wrong.add(l.fail(node, "a target has no name: add name: vienna, say; its folder and its column are called so, since hosts have pseudonyms"))
	}
	return own, name, wrong.err()
}

// entry gives an entry what stands in it, and what is given for all.
func (l *targetList) entry(e *entry, own map[string]setting) error {
	maps.Copy(e.settings, l.settings)
	maps.Copy(e.settings, l.given)
	for name, s := range own {
		s.rank = rankEntry
		e.settings[name] = s
	}
	return e.apply(rankEntry)
}

// apply gives the flags of the target the values that were given there, and returns what is wrong with them.
func (e *entry) apply(rank int) error {
	var wrong mistakes
	for _, name := range slices.Sorted(maps.Keys(e.settings)) {
		if s := e.settings[name]; s.rank == rank && secretVariables[name] == "" {
			wrong.add(s.apply(e.cmd.Flags().Lookup(name)))
		}
	}
	return wrong.err()
}

// targetName reads the name of a target, which is that of its folder too, and says what is
// wrong with it.
func targetName(value *yaml.Node) (name, problem string) {
	name = value.Value
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch {
	case value.Kind != yaml.ScalarNode || value.Tag == "!!null" || name == "":
		return "", "expected a name, such as vienna"
	case len(name) > 100:
		return "", "expected at most 100 bytes"
	case strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && !strings.ContainsRune(" ._-+@", r)
	}):
		return "", fmt.Sprintf("%q names a folder too: expected letters, digits, spaces, and . _ - + @", name)
	case strings.TrimFunc(name, func(r rune) bool { return r == '.' || r == ' ' }) != name:
		return "", fmt.Sprintf("%q names a folder too: expected no dot and no space at either end", name)
	case slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "MERGE"}, base),
		len(base) == 4 && (base[:3] == "COM" || base[:3] == "LPT"):
		return "", fmt.Sprintf("%q is taken, by Windows or by the files of the matrix: choose another", name)
	}
	return name, ""
}

// givenTo returns what the run was given, by flags, the environment and --config, of
// what its targets take.
func givenTo(run, target *cobra.Command) map[string]setting {
	settings := map[string]setting{}
	target.Flags().VisitAll(func(flag *pflag.Flag) {
		given := run.Flags().Lookup(flag.Name)
		s := setting{where: "--" + flag.Name, rank: rankFlag}
		switch from := given.Annotations[configured]; {
		case given.Changed:
		case len(from) == 1:
			s.where, s.rank = from[0], rankEnvironment
		default:
			return
		}
		if several, ok := given.Value.(pflag.SliceValue); ok {
			s.values = several.GetSlice()
		} else {
			s.values = []string{given.Value.String()}
		}
		settings[flag.Name] = s
	})
	return settings
}

// fill gives the flags of the target their values. What stands in the entry counts as
// given, so that keys which contradict each other there are refused. Where nothing else says where its password is, it is in the
// folder of passwords, if there is one.
func (e *entry) fill(passwords string) error {
	var wrong mistakes
	for _, groups := range [][][]string{alternatives, secretPlaces, passwordPlaces} {
		giveWay(e.cmd, e.settings, groups)
	}
	e.live.variables = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(e.settings)) {
		s := e.settings[name]
		if usual, names := secretVariables[name]; names {
			e.live.variables[usual] = s.values[0]
			continue
		}
		flag := e.cmd.Flags().Lookup(name)
		if err := s.apply(flag); err != nil {
			return err
		}
		flag.Changed = s.rank == rankEntry
	}
	for _, pair := range []string{"token", "password"} {
		if e.settings[pair+"-file"].rank > 0 && e.settings[pair+"-env"].rank > 0 {
			wrong.add(e.told(usage("%s-file and %s-env exclude each other: the %s is in one place", pair, pair, pair)))
		}
	}
	if passwords != "" && e.live.signIn.given() && e.live.signIn.passwordFile == "" && e.live.variables["CONFORM_PASSWORD"] == "" && e.live.signIn.needsPassword() {
		file := filepath.Join(passwords, e.name)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			wrong.add(e.told(usage("--passwords %s: there is no file %q with the password of this target", passwords, e.name)))
		}
		e.live.signIn.passwordFile = file
	}
	switch {
	case !e.live.given():
		wrong.add(e.told(usage("nothing says what to certify: add sip, or application")))
	case len(wrong.texts) == 0: // it looks at values
		wrong.add(e.told(e.live.consistent(e.cmd)))
	}
	return wrong.err()
}

// ready makes the target ready. A variable that was named for a secret must hold one: the keyring
// may hold that of somebody else.
func (e *entry) ready(ctx context.Context, from terminal) (err error) {
	for _, name := range slices.Sorted(maps.Keys(secretVariables)) {
		if variable := e.live.variables[secretVariables[name]]; variable != "" && os.Getenv(variable) == "" {
			return usage("%s: the environment variable %s is not set, or empty", name, variable)
		}
	}
	e.target, err = e.live.ready(ctx, from)
	return err
}

// told is an error, if there is one, and of which target.
func (e *entry) told(err error) error {
	if err == nil {
		return nil
	}
	code := exitUsage
	if own := (exit{}); errors.As(err, &own) {
		code = own.code
	}
	return exit{code, fmt.Errorf("%s, %s: %w", e.where, e.name, err)}
}

// folder is where the files of the target are.
func (e *entry) folder(out string) string { return filepath.Join(out, e.name) }
