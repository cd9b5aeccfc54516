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

// people are those whom a deployment has, and its distribution groups.
type people struct {
	users  []ucwatest.User
	groups []ucwatest.Group
}

// usersFrom reads a file of users.
func usersFrom(path string) (*people, error) {
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
	all, err := parseUsers(content)
	if err != nil {
		return nil, usage("--users: %s%w", path, err)
	}
	return all, nil
}

// parseUsers reads users, and distribution groups among them. Its errors begin with the line,
// as in ":3: …".
func parseUsers(content []byte) (*people, error) {
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
	all := &people{}
	lines := map[string]int{}
	for _, item := range list.Content {
		if item.Kind != yaml.MappingNode {
			return nil, fail(item, "expected a user: name, sip, password and so on")
		}
		u, g, err := userFrom(item, fail)
		if err != nil {
			return nil, err
		}
		key := strings.ToLower(u.URI)
		if first := lines[key]; first > 0 {
			return nil, fail(item, "%s is the user of line %d already", u.URI, first)
		}
		lines[key] = item.Line
		if g != nil {
			all.groups = append(all.groups, *g)
		} else {
			all.users = append(all.users, u)
		}
	}
	if len(all.users) == 0 {
		return nil, fail(list, "there are groups, and no user: add one, with its sip and password")
	}
	return all, nil
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

// userFrom reads one user, or a distribution group: that has members.
func userFrom(node *yaml.Node, fail func(*yaml.Node, string, ...any) error) (u ucwatest.User, g *ucwatest.Group, err error) {
	var members []string
	var groups yaml.Node
	photo := true
	fields := map[string]any{"name": &u.Name, "sip": &u.URI, "password": &u.Password, "email": &u.Email, "title": &u.Title,
		"department": &u.Department, "windows": &u.Windows, "anonymous": &u.Anonymous, "modalities": &u.Modalities,
		"contacts": &u.Contacts, "groups": &groups, "photo": &photo, "members": &members}
	known := []string{"name", "sip", "password", "email", "title", "department", "windows", "anonymous", "modalities", "contacts", "groups", "photo", "members"}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		field := fields[key.Value]
		switch {
		case field == nil:
			return u, nil, fail(key, "unknown key %q%s; a user has: %s", key.Value, suite.Nearest(key.Value, known), strings.Join(known, ", "))
		case seen[key.Value]:
			return u, nil, fail(key, "%s stands here twice", key.Value)
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			return u, nil, fail(value, "%s: anchors and aliases are not read here: write the value out", key.Value)
		}
		seen[key.Value] = true
		if text, is := field.(*string); is && value.Kind == yaml.ScalarNode && value.Tag != "!!null" {
			*text = value.Value // a password of digits is a text, too
		} else if err := value.Decode(field); err != nil || is {
			kind := "a list of texts"
			switch field.(type) {
			case *string:
				kind = "a text"
			case *bool:
				kind = "true or false"
			}
			return u, nil, fail(value, "%s: expected %s", key.Value, kind)
		}
	}
	u.NoPhoto = !photo
	switch {
	case u.URI == "":
		return u, nil, fail(node, "a user without sip: write its SIP address, as in sip: sip:dana@contoso.com")
	case !regexp.MustCompile(`^(?i:sip:)?[^@:]+@[^@:]+$`).MatchString(u.URI) || strings.ContainsAny(u.URI, " \t\r\n<>\"'"):
		return u, nil, fail(node, "sip: %q is no SIP address: expected one like sip:dana@contoso.com", u.URI)
	case u.Password == "" && !seen["members"]:
		return u, nil, fail(node, "%s has no password: add one, so that a client can sign in", u.URI)
	}
	if !strings.HasPrefix(strings.ToLower(u.URI), "sip:") {
		u.URI = "sip:" + u.URI
	}
	for _, m := range u.Modalities {
		if !ucwa.ModalityType(m).Valid() {
			return u, nil, fail(node, "modalities: %q is none%s; they are: %s", m, suite.Nearest(m, modalityNames()), strings.Join(modalityNames(), ", "))
		}
	}
	if u.Name == "" {
		u.Name, _, _ = strings.Cut(u.URI[len("sip:"):], "@")
	}
	if groups.Kind != 0 && groups.Kind != yaml.MappingNode {
		return u, nil, fail(&groups, "groups: expected names, each with a list of SIP addresses, as in\n  groups:\n    Friends: [sip:lee@contoso.com]")
	}
	for i := 0; i+1 < len(groups.Content); i += 2 {
		group := ucwatest.Group{Name: groups.Content[i].Value}
		if groups.Content[i+1].Decode(&group.Members) != nil || group.Name == "" {
			return u, nil, fail(groups.Content[i], "groups: expected a name, with a list of SIP addresses")
		}
		if slices.ContainsFunc(u.Groups, func(other ucwatest.Group) bool { return strings.EqualFold(other.Name, group.Name) }) {
			return u, nil, fail(groups.Content[i], "groups: %s stands here twice", group.Name)
		}
		u.Groups = append(u.Groups, group)
	}
	for _, list := range append([]ucwatest.Group{{Name: "contacts", Members: u.Contacts}, {Name: "members", Members: members}}, u.Groups...) {
		for i, address := range list.Members {
			if !strings.Contains(address, ":") {
				list.Members[i] = "sip:" + address
			}
			if !addressForm.MatchString(address) {
				return u, nil, fail(node, "%s: %q is no address: expected one like sip:dana@contoso.com", list.Name, address)
			}
		}
	}
	if seen["members"] {
		g = &ucwatest.Group{Name: u.Name, URI: u.URI, Members: members}
	}
	return u, g, nil
}

// addressForm is what a contact can have: a SIP address, with the scheme or without, or a telephone number.
var addressForm = regexp.MustCompile(`^(?:(?i:sip:)?[^@:/\s<>"']+@[^@:/\s<>"']+|(?i:tel:)\+?[0-9-]+)$`)

// scripted is a user who has no client, and does what --peer says.
func scripted(script, domain string) ucwatest.User {
	return ucwatest.User{Name: strings.ToUpper(script[:1]) + script[1:], URI: "sip:" + script + "@" + domain, Script: script}
}

// scripts are the names of what a user without a client can do with an invitation.
func scripts() (names []string) {
	for _, s := range ucwatest.Scripts() {
		names = append(names, s.Name)
	}
	return names
}

func modalityNames() []string {
	var names []string
	for _, m := range ucwa.ModalityTypes() {
		names = append(names, string(m))
	}
	return slices.Clip(names)
}
