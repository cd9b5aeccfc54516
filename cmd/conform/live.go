package main

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// liveFlags say which live server to drive, and as whom.
type liveFlags struct {
	connection  connectionFlags
	signIn      signInFlags
	server      string
	application string
	tokenFile   string
	variables   map[string]string // which take the place of CONFORM_TOKEN and the like; see variable
	anonymous   string
	restricted  string
	origin      string
	keep        bool
	keepNames   bool
	words       []string
	timeout     time.Duration
	eventWait   time.Duration
	retryWait   time.Duration
}

func (f *liveFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.signIn.add(cmd)
	flags.BoolVar(&f.signIn.foreignToken, "foreign-token", false, "where another host than the pool issues tokens: show the pool one of those, to see it refused")
	flags.StringVar(&f.application, "application", "", "certify the server that has this application resource (URL)")
	flags.StringVar(&f.anonymous, "anonymous-application", "", "application of a meeting guest, for its refusal; token in CONFORM_ANONYMOUS_TOKEN")
	flags.StringVar(&f.restricted, "restricted-application", "", "application of a user whose policy forbids a modality; token in CONFORM_RESTRICTED_TOKEN")
	flags.StringVar(&f.origin, "origin", "", "speak as a cross-domain browser application of this origin (X-Ms-Origin)")
	flags.BoolVar(&f.keep, "keep-application", false, "do not delete the application at the end; its end is then not exercised")
	flags.BoolVar(&f.keepNames, "keep-names", false, "name hosts, people and addresses in the report and its evidence, instead of pseudonyms")
	flags.StringArrayVar(&f.words, "redact", nil, "hide this word too, of 3 characters or more; can be repeated")
	flags.DurationVar(&f.timeout, "timeout", 2*time.Minute, "for the whole run")
	flags.DurationVar(&f.retryWait, "retry-wait", 30*time.Second, "total time to spend on Retry-After (answers 429 and 503); 0 disables retries")
	f.addServer(cmd, "--application")
	for _, name := range []string{"application", "anonymous-application", "restricted-application", "origin", "timeout", "retry-wait"} {
		complete(cmd, name, func() []string { return nil })
	}
}

// addServer adds the flags that say which server it is, and how to speak to it; what
// names the flag with the URL.
func (f *liveFlags) addServer(cmd *cobra.Command, what string) {
	flags := cmd.Flags()
	flags.StringVar(&f.server, "target", "", "base URL of the live server, for a relative "+what)
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the user's token (cwt=...); else CONFORM_TOKEN, the system's keyring, or a prompt")
	flags.DurationVar(&f.eventWait, "event-wait", 30*time.Second, "for the event that confirms")
	f.connection.add(cmd)
	for _, name := range []string{"target", "event-wait"} {
		complete(cmd, name, func() []string { return nil })
	}
}

// liveOnly are the flags that mean nothing for a recording.
var liveOnly = append([]string{"token-file", "anonymous-application", "restricted-application", "origin", "keep-application", "keep-names", "redact",
	"timeout", "event-wait", "retry-wait"}, append(signInOnly, connectionOnly...)...)

func (f *liveFlags) given() bool { return f.application != "" || f.server != "" || f.signIn.given() }

// consistent refuses flags of the one way to an application beside the other.
func (f *liveFlags) consistent(cmd *cobra.Command) error {
	given := func(names ...string) string {
		for _, name := range names {
			if cmd.Flags().Changed(name) {
				return name
			}
		}
		return ""
	}
	if f.signIn.given() {
		if other := given("application", "target", "token-file", "keep-application"); other != "" {
			return usage("--%s excludes --sip, --domain and --autodiscover: a run that signs in gets a token and an application of its own", other)
		}
		return nil
	}
	if other := given(signInOnly...); other != "" {
		return usage("--%s is for a run that signs in: add --sip ADDRESS", other)
	}
	return nil
}

// target reads the flags, and the files that they name. The user's token is still missing.
func (f *liveFlags) target() (suite.Target, error) {
	none := suite.Target{}
	if f.application == "" && !f.signIn.given() {
		return none, usage("--target alone does not say which application: add --application URL (what the POST on applications answered)")
	}
	if err := wordsToHide(f.words, f.keepNames); err != nil {
		return none, err
	}
	t := suite.Target{WebOrigin: f.origin, Keep: f.keep, KeepNames: f.keepNames, Words: f.words,
		RequestTimeout: f.connection.perRequest, EventWait: f.eventWait, RetryWait: f.retryWait, ForeignToken: f.signIn.foreignToken}
	var err error
	if f.signIn.given() {
		t.SignIn, err = f.signIn.signIn()
	} else {
		t.Application, err = f.absolute("--application", f.application)
	}
	if err != nil {
		return none, err
	}
	if err := f.limits(); err != nil {
		return none, err
	}
	transport, err := f.connection.transport()
	if err != nil {
		return none, err
	}
	if f.signIn.given() {
		f.signIn.fit(transport)
	}
	t.Transport, t.Limiter = transport, f.connection.limiter()
	if t.RetryWait == 0 {
		t.RetryWait = -1
	}
	if t.Anonymous, err = f.party("--anonymous-application", f.anonymous, "CONFORM_ANONYMOUS_TOKEN"); err != nil {
		return none, err
	}
	if t.Restricted, err = f.party("--restricted-application", f.restricted, "CONFORM_RESTRICTED_TOKEN"); err != nil {
		return none, err
	}
	return t, nil
}

// limits refuses times in which nothing can be done.
func (f *liveFlags) limits() error {
	for _, limit := range []struct {
		flag string
		time.Duration
	}{{"--timeout", f.timeout}, {"--request-timeout", f.connection.perRequest}, {"--event-wait", f.eventWait}} {
		if limit.Duration <= 0 {
			return notPositive(limit.flag, limit.Duration)
		}
	}
	if f.retryWait < 0 {
		return usage("--retry-wait %s: expected a time such as 30s, or 0 for never", f.retryWait)
	}
	return nil
}

// absolute makes a URL absolute, within the target if that is given.
func (f *liveFlags) absolute(flag, value string) (string, error) {
	u, err := parse(flag, value)
	if err != nil {
		return "", err
	}
	var base *url.URL
	if f.server != "" {
		if base, err = parse("--target", f.server); err != nil {
			return "", err
		}
		if base.Host == "" {
			return "", usage("--target: expected a URL such as https://pool.contoso.com")
		}
		u = base.ResolveReference(u)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", usage("%s: expected an absolute http or https URL, or a path together with --target", flag)
	}
	if base != nil && ucwa.Origin(u) != ucwa.Origin(base) {
		return "", usage("%s is on %s, not on --target %s: the token would go to another host", flag, ucwa.Origin(u), ucwa.Origin(base))
	}
	return u.String(), nil
}

// parse reads a URL without user information. Its errors do not show the URL:
// in one that is odd, a password can stand anywhere.
func parse(flag, value string) (*url.URL, error) {
	u, err := url.Parse(value)
	if err != nil {
		return nil, usage("%s is no URL: expected one such as https://pool.contoso.com/ucwa/oauth/v1/applications/101", flag)
	}
	if u.User != nil {
		return nil, usage("%s: the URL holds user information; secrets come from CONFORM_TOKEN, --token-file or the keyring", flag)
	}
	return u, nil
}

// token finds the user's token. In the keyring it stands under the host that it is good for.
func (f *liveFlags) token(ctx context.Context, from terminal, server string) (string, error) {
	account := ""
	if u, err := url.Parse(server); err == nil {
		account = u.Hostname()
	}
	return secret{what: "token", flag: "--token-file", file: f.tokenFile, variable: f.variable("CONFORM_TOKEN"), account: account,
		need: "a live run needs the application's token: set CONFORM_TOKEN, or give --token-file FILE"}.read(ctx, from, cleanToken)
}

// terminalOf is where a command may ask for a secret.
func terminalOf(cmd *cobra.Command) terminal {
	input, _ := cmd.InOrStdin().(*os.File)
	return terminal{input: input, said: cmd.ErrOrStderr()}
}

// cleanToken takes a token as people paste it, with or without its scheme. What is no token of
// UCWA is their mistake: sent, it would be told of as one of the client.
func cleanToken(where, token string) (string, error) {
	words := strings.Fields(strings.TrimPrefix(token, "\ufeff")) // a byte order mark, as editors on Windows write it
	if len(words) > 0 && strings.EqualFold(words[0], "Bearer") {
		words = words[1:]
	}
	if len(words) != 1 {
		return "", usage("%s: expected one token, such as cwt=AAEB..., on one line", where)
	}
	if rest, found := strings.CutPrefix(words[0], tokenKind); !found || rest == "" {
		return "", usage("%s: expected a token that begins with %s, as those do that a UCWA server issues: is it another's, or a part of one? Nothing was sent; "+
			"--sip ADDRESS signs in, and takes whatever token the server issues", where, tokenKind)
	}
	return words[0], nil
}

// variable names the environment variable that holds a secret, by the usual name for it.
func (f *liveFlags) variable(usual string) string { return cmp.Or(f.variables[usual], usual) }

func (f *liveFlags) party(flag, application, variable string) (*suite.Party, error) {
	if application == "" {
		return nil, nil
	}
	resolved, err := f.absolute(flag, application)
	if err != nil {
		return nil, err
	}
	variable = f.variable(variable)
	token := os.Getenv(variable)
	if token == "" {
		return nil, usage("%s needs a token of its own: set %s", flag, variable)
	}
	if token, err = cleanToken(variable, token); err != nil {
		return nil, err
	}
	return &suite.Party{Application: resolved, Token: token}, nil
}
