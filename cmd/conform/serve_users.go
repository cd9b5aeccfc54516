package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"go.yaml.in/yaml/v3"
)

// builtIn is who can sign in where no file of users is given. The password is no
// secret: it stands here, and is told.
var builtIn = ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Email: "dana@contoso.com", Password: "Passw0rd-of-Dana"}

// maxUsersFile bounds what is read of a file of users, in bytes.
const maxUsersFile = 1 << 20

// usersFrom reads a file of users.
func usersFrom(path string) ([]ucwatest.User, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, usage("--users: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && othersMay(info)&0o022 != 0 {
		return nil, usage("--users: %s can be written by %s (mode %04o), so it may hold what they put there: chmod %s it, and see that it is right",
			path, writers(othersMay(info)), info.Mode().Perm(), unwritable(othersMay(info)))
	}
	content, err := io.ReadAll(io.LimitReader(file, maxUsersFile+1))
	switch {
	case err != nil:
		return nil, exit{exitFailed, fmt.Errorf("--users: %w", err)}
	case len(content) > maxUsersFile:
		return nil, usage("--users: %s is longer than %d bytes, the most that is read", path, maxUsersFile)
	}
	users, err := parseUsers(content)
	if err != nil {
		return nil, usage("--users: %s%w", path, err)
	}
	return users, nil
}

// parseUsers reads users. Its errors begin with the line, as in ":3: …".
func parseUsers(content []byte) ([]ucwatest.User, error) {
	fail := func(node *yaml.Node, format string, args ...any) error {
		return fmt.Errorf(":%d: %s", max(node.Line, 1), fmt.Sprintf(format, args...))
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(string(content)))
	if err := decode(decoder, &document); errors.Is(err, io.EOF) {
		return nil, errors.New(": holds no user: write a list of users, each with its sip and password")
	} else if err != nil {
		return nil, fmt.Errorf(": is no YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	list := document.Content[0]
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil, fail(list, "expected a list of users, such as\n  - name: Dana Birkby\n    sip: sip:dana@contoso.com\n    password: ...")
	}
	var users []ucwatest.User
	lines := map[string]int{}
	for _, item := range list.Content {
		if item.Kind != yaml.MappingNode {
			return nil, fail(item, "expected a user: name, sip, password and so on")
		}
		u, err := userFrom(item, fail)
		if err != nil {
			return nil, err
		}
		key := strings.ToLower(u.URI)
		if first := lines[key]; first > 0 {
			return nil, fail(item, "%s is the user of line %d already", u.URI, first)
		}
		lines[key] = item.Line
		users = append(users, u)
	}
	return users, nil
}

// decode decodes one node; the parser panics on some input.
func decode(d *yaml.Decoder, node *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return d.Decode(node)
}

func userFrom(node *yaml.Node, fail func(*yaml.Node, string, ...any) error) (ucwatest.User, error) {
	var u ucwatest.User
	fields := map[string]any{"name": &u.Name, "sip": &u.URI, "password": &u.Password, "email": &u.Email, "title": &u.Title,
		"department": &u.Department, "windows": &u.Windows, "anonymous": &u.Anonymous, "modalities": &u.Modalities}
	known := []string{"name", "sip", "password", "email", "title", "department", "windows", "anonymous", "modalities"}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		field := fields[key.Value]
		switch {
		case field == nil:
			return u, fail(key, "unknown key %q%s; a user has: %s", key.Value, suite.Nearest(key.Value, known), strings.Join(known, ", "))
		case seen[key.Value]:
			return u, fail(key, "%s stands here twice", key.Value)
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			return u, fail(value, "%s: anchors and aliases are not read here: write the value out", key.Value)
		}
		seen[key.Value] = true
		if text, is := field.(*string); is && value.Kind == yaml.ScalarNode && value.Tag != "!!null" {
			*text = value.Value // a password of digits is a text, too
		} else if err := value.Decode(field); err != nil || is {
			return u, fail(value, "%s: expected %s", key.Value, map[bool]string{true: "a text", false: "true or false, or a list of modalities"}[is])
		}
	}
	switch {
	case u.URI == "":
		return u, fail(node, "a user without sip: write its SIP address, as in sip: sip:dana@contoso.com")
	case !regexp.MustCompile(`^(?i:sip:)?[^@:]+@[^@:]+$`).MatchString(u.URI) || strings.ContainsAny(u.URI, " \t\r\n<>\"'"):
		return u, fail(node, "sip: %q is no SIP address: expected one like sip:dana@contoso.com", u.URI)
	case u.Password == "":
		return u, fail(node, "%s has no password: add one, so that a client can sign in", u.URI)
	}
	if !strings.HasPrefix(strings.ToLower(u.URI), "sip:") {
		u.URI = "sip:" + u.URI
	}
	for _, m := range u.Modalities {
		if !ucwa.ModalityType(m).Valid() {
			return u, fail(node, "modalities: %q is none%s; they are: %s", m, suite.Nearest(m, modalityNames()), strings.Join(modalityNames(), ", "))
		}
	}
	if u.Name == "" {
		u.Name, _, _ = strings.Cut(u.URI[len("sip:"):], "@")
	}
	return u, nil
}

func modalityNames() []string {
	var names []string
	for _, m := range ucwa.ModalityTypes() {
		names = append(names, string(m))
	}
	return slices.Clip(names)
}
