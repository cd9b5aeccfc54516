package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net/http"
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
	server      string
	application string
	tokenFile   string
	anonymous   string
	restricted  string
	origin      string
	cacert      string
	keep        bool
	keepNames   bool
	words       []string
	timeout     time.Duration
	perRequest  time.Duration
	eventWait   time.Duration
}

func (f *liveFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.application, "application", "", "certify the live server with this application resource (URL, or a path with --target)")
	flags.StringVar(&f.anonymous, "anonymous-application", "", "application of a meeting guest, for its refusal; token in CONFORM_ANONYMOUS_TOKEN")
	flags.StringVar(&f.restricted, "restricted-application", "", "application of a user whose policy forbids a modality; token in CONFORM_RESTRICTED_TOKEN")
	flags.StringVar(&f.origin, "origin", "", "speak as a cross-domain browser application of this origin (X-Ms-Origin)")
	flags.BoolVar(&f.keep, "keep-application", false, "do not delete the application at the end; its end is then not exercised")
	flags.BoolVar(&f.keepNames, "keep-names", false, "name hosts, people and addresses in the report and its evidence, instead of pseudonyms")
	flags.StringArrayVar(&f.words, "redact", nil, "hide this word too, of 3 characters or more; can be repeated")
	flags.DurationVar(&f.timeout, "timeout", 2*time.Minute, "for the whole run")
	f.addServer(cmd, "--application")
}

// addServer adds the flags that say which server it is, and how to speak to it; what
// names the flag with the URL.
func (f *liveFlags) addServer(cmd *cobra.Command, what string) {
	flags := cmd.Flags()
	flags.StringVar(&f.server, "target", "", "base URL of the live server, for a relative "+what)
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the user's token (cwt=...); else CONFORM_TOKEN")
	flags.StringVar(&f.cacert, "cacert", "", "PEM file with certificate authorities to trust, besides the system's")
	flags.DurationVar(&f.perRequest, "request-timeout", 10*time.Second, "for one answer")
	flags.DurationVar(&f.eventWait, "event-wait", 30*time.Second, "for the event that confirms")
}

// liveOnly are the flags that mean nothing for a recording.
var liveOnly = []string{"token-file", "anonymous-application", "restricted-application", "origin", "cacert", "keep-application", "keep-names", "redact",
	"timeout", "request-timeout", "event-wait"}

func (f *liveFlags) given() bool { return f.application != "" || f.server != "" }

// target reads the flags, and the secrets that belong to them.
func (f *liveFlags) target() (suite.Target, error) {
	none := suite.Target{}
	if f.application == "" {
		return none, usage("--target alone does not say which application: add --application URL (what the POST on applications answered)")
	}
	if err := wordsToHide(f.words, f.keepNames); err != nil {
		return none, err
	}
	application, err := f.resolve("--application", f.application)
	if err != nil {
		return none, err
	}
	token, err := f.token()
	if err != nil {
		return none, err
	}
	t := suite.Target{Application: application, Token: token, WebOrigin: f.origin, Keep: f.keep, KeepNames: f.keepNames, Words: f.words, RequestTimeout: f.perRequest, EventWait: f.eventWait}
	if t.Anonymous, err = f.party("--anonymous-application", f.anonymous, "CONFORM_ANONYMOUS_TOKEN"); err != nil {
		return none, err
	}
	if t.Restricted, err = f.party("--restricted-application", f.restricted, "CONFORM_RESTRICTED_TOKEN"); err != nil {
		return none, err
	}
	t.Transport, err = f.transport()
	return t, err
}

// transport reads the limits and the authorities to trust.
func (f *liveFlags) transport() (http.RoundTripper, error) {
	for _, limit := range []struct {
		flag string
		time.Duration
	}{{"--timeout", f.timeout}, {"--request-timeout", f.perRequest}, {"--event-wait", f.eventWait}} {
		if limit.Duration <= 0 {
			return nil, usage("%s %s: expected a time of more than zero, such as 10s", limit.flag, limit.Duration)
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if f.cacert != "" {
		pem, err := os.ReadFile(f.cacert)
		if err != nil {
			return nil, usage("--cacert: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, usage("--cacert %s: expected PEM certificates, found none", f.cacert)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return transport, nil
}

// resolve makes a URL absolute, within the target if that is given.
func (f *liveFlags) resolve(flag, value string) (string, error) {
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
		return nil, usage("%s: the URL holds user information; secrets come from CONFORM_TOKEN or --token-file", flag)
	}
	return u, nil
}

func (f *liveFlags) token() (string, error) {
	if f.tokenFile == "" {
		if token := os.Getenv("CONFORM_TOKEN"); token != "" {
			return cleanToken("CONFORM_TOKEN", token)
		}
		return "", usage("a live run needs the application's token: set CONFORM_TOKEN, or give --token-file FILE")
	}
	file, err := os.Open(f.tokenFile)
	if problem := (*fs.PathError)(nil); errors.As(err, &problem) && likeToken(f.tokenFile) {
		return "", usage("--token-file names a file (%w), and this looks like the token itself: set CONFORM_TOKEN to it", problem.Err)
	}
	if err != nil {
		return "", usage("--token-file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return "", usage("--token-file: %w", err)
	}
	return cleanToken("--token-file "+f.tokenFile, string(data))
}

// likeToken tells whether what should be the path of a file may be a token, which
// no message must show. Tokens are long, paths that are given by hand are not.
func likeToken(path string) bool {
	return len(path) > 100 || strings.Contains(strings.ToLower(path), "cwt=")
}

// cleanToken takes a token as people paste it, with or without its scheme.
func cleanToken(where, token string) (string, error) {
	words := strings.Fields(strings.TrimPrefix(token, "\ufeff")) // a byte order mark, as editors on Windows write it
	if len(words) > 0 && strings.EqualFold(words[0], "Bearer") {
		words = words[1:]
	}
	if len(words) != 1 {
		return "", usage("%s: expected one token, such as cwt=AAEB..., on one line", where)
	}
	return words[0], nil
}

func (f *liveFlags) party(flag, application, variable string) (*suite.Party, error) {
	if application == "" {
		return nil, nil
	}
	resolved, err := f.resolve(flag, application)
	if err != nil {
		return nil, err
	}
	token := os.Getenv(variable)
	if token == "" {
		return nil, usage("%s needs a token of its own: set %s", flag, variable)
	}
	if token, err = cleanToken(variable, token); err != nil {
		return nil, err
	}
	return &suite.Party{Application: resolved, Token: token}, nil
}
