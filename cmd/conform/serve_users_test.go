package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

func TestUsers(t *testing.T) {
	got, err := parseUsers([]byte(`
- name: Dana Birkby
  sip: sip:dana@contoso.com
  password: "secret"
  email: dana@contoso.com
  windows: CONTOSO\dana
  modalities: [Messaging, Audio]
  photo: false
  contacts: [sip:lee@contoso.com, "tel:+14255550123"]
  groups:
    Friends: [lee@contoso.com]
    Nobody: []
- {sip: lee@contoso.com, password: 12345678, anonymous: true}
- {name: Sales, sip: sales@contoso.com, members: [lee@contoso.com]}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &people{users: []ucwatest.User{
		{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Password: "secret", Email: "dana@contoso.com", Windows: `CONTOSO\dana`, Modalities: []string{"Messaging", "Audio"},
			NoPhoto: true, Contacts: []string{"sip:lee@contoso.com", "tel:+14255550123"}, Groups: []ucwatest.Group{{Name: "Friends", Members: []string{"sip:lee@contoso.com"}}, {Name: "Nobody"}}},
		{Name: "lee", URI: "sip:lee@contoso.com", Password: "12345678", Anonymous: true},
	}, groups: []ucwatest.Group{{Name: "Sales", URI: "sip:sales@contoso.com", Members: []string{"sip:lee@contoso.com"}}}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(people{}), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestUsersRefused(t *testing.T) {
	for content, want := range map[string]string{
		"":                            ": holds no user",
		"{":                           ": is no YAML",
		"sip: dana@contoso.com":       ":1: expected a list of users",
		"[]":                          ":1: expected a list of users",
		"- dana":                      ":1: expected a user",
		"- {sip: dana, password: x}":  `"dana" is no SIP address`,
		"- {password: x}":             ":1: a user without sip",
		"- {sip: d@x}":                "sip:d@x has no password",
		"- {sip: d@x, password: [x]}": "password: expected a text",
		"- {sip: d@x, password: x, anonymous: 3}":              "anonymous: expected true or false",
		"- {sip: d@x, password: x, Sip: y}":                    `unknown key "Sip", did you mean "sip"?`,
		"- {sip: d@x, sip: d@y, password: x}":                  "sip stands here twice",
		"- {sip: &a d@x, password: *a}":                        "anchors and aliases are not read",
		"- {sip: d@x, password: x, modalities: [a]}":           `"a" is none`,
		"- {sip: d@x, password: x, contacts: x}":               "contacts: expected a list of texts",
		"- {sip: d@x, password: x, contacts: [x]}":             `contacts: "x" is no address`,
		"- {sip: d@x, password: x, groups: [x]}":               "groups: expected names",
		"- {sip: d@x, password: x, groups: {F: x}}":            "groups: expected a name, with a list",
		"- {sip: d@x, password: x, groups: {F: [x]}}":          `F: "x" is no address`,
		"- {sip: d@x, password: x, groups: {F: [], f: []}}":    "groups: f stands here twice",
		"- {sip: d@x, members: [a@x]}":                         "there are groups, and no user",
		"- {sip: d@x, password: x}\n- {sip: D@x, members: []}": "is the user of line 1 already",
	} {
		_, err := parseUsers([]byte(content))
		if content == "- {sip: d@x}" {
			want = "d@x has no password"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", content, err, want)
		}
	}
}

func FuzzUsers(f *testing.F) {
	for _, seed := range []string{"- {sip: d@x, password: x}", "- name: x\n  sip: sip:a@b\n  password: y\n  modalities: [Messaging]", "- &a {sip: *a}", "\x00", "- {? : }"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		all, err := parseUsers([]byte(content))
		if (err == nil) != (all != nil && len(all.users) > 0) {
			t.Fatalf("%v and error %v", all, err)
		}
		if err != nil {
			return
		}
		for _, u := range all.users {
			if !strings.HasPrefix(strings.ToLower(u.URI), "sip:") || u.Password == "" || u.Name == "" {
				t.Fatalf("a user that nobody could be: %+v", u)
			}
		}
	})
}
