package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/reports/atomicfile"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// serverFlags say how the reference server is: those that `conform serve` and
// `conform client` share.
type serverFlags struct {
	judging
	users        string
	peers        []string
	origins      []string
	faults       []string
	chaos        string
	eventTimeout time.Duration
	aggregation  time.Duration
	format       string
	out          string
	verbose      bool
	quiet        bool
	noColor      bool
	plain        bool
	brief        bool // the text is a summary, unless verbose
}

func (f *serverFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.judgingFlags(cmd)
	if err := flags.MarkHidden("subject"); err != nil {
		panic(err) // the flag is defined above
	}
	flags.StringVar(&f.users, "users", "", "YAML file of the users (docs/serve.md); without it there is "+builtIn.URI)
	flags.StringSliceVar(&f.peers, "peer", nil, "add somebody to talk to, who needs no client: "+strings.Join(scripts(), ", ")+"; several by commas")
	flags.StringArrayVar(&f.origins, "origin", nil, "allow pages of this origin (X-Ms-Origin), as in https://app.contoso.com; can be repeated")
	flags.StringArrayVar(&f.faults, "fault", nil, "misbehave by this fault of docs/proof.md; can be repeated")
	flags.StringVar(&f.chaos, "chaos", "", "vary what no document settles, by this number or at random")
	flags.DurationVar(&f.eventTimeout, "event-timeout", 180*time.Second, "how long a pending GET is held with nothing to tell")
	flags.DurationVar(&f.aggregation, "aggregation", 0, "how long an event waits for others before it is told")
	flags.StringVar(&f.format, "format", "text", "of standard output: "+strings.Join(reports.Repeatable(), ", "))
	flags.StringVar(&f.out, "out", "", "write reports and evidence into this directory, in one for each client")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show every requirement in the text")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write no log and no notes to standard error")
	flags.BoolVar(&f.noColor, "no-color", false, "no colour; so do the environment variables NO_COLOR and TERM=dumb")
	flags.BoolVar(&f.plain, "plain", false, "serve plain http, without TLS")
	complete(cmd, "format", reports.Repeatable)
	complete(cmd, "fault", serverFaultNames)
	complete(cmd, "peer", scripts)
	complete(cmd, "chaos", func() []string { return []string{"random"} })
	for _, name := range []string{"origin", "event-timeout", "aggregation"} {
		complete(cmd, name, func() []string { return nil })
	}
	outDirectory(cmd)
	if err := cmd.MarkFlagFilename("users", "yaml", "yml"); err != nil {
		panic(err)
	}
}

func serverFaultNames() []string {
	var names []string
	for _, f := range prove.Faults() {
		if f.Subject == "server" {
			names = append(names, f.Name)
		}
	}
	return names
}

// host reads the flags, and makes the host that they describe, without its log.
func (f *serverFlags) host(cmd *cobra.Command) (hostConfig, error) {
	var config hostConfig
	for _, name := range []string{"users", "out", "chaos", "format"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return config, usage("--%s is empty: give it a value, or leave it out", name)
		}
	}
	if !slices.Contains(reports.Repeatable(), f.format) {
		if slices.Contains(reports.Formats(), f.format) {
			return config, usage("--format %s holds one report, and there may be several clients: --out DIR writes it for each", f.format)
		}
		return config, usage("unknown format %q%s; the formats are: %s", f.format, suite.Nearest(f.format, reports.Repeatable()), strings.Join(reports.Repeatable(), ", "))
	}
	if slices.ContainsFunc(f.selection.Subjects, func(s string) bool { return s != "client" }) {
		return config, usage("--subject: the server is conform's own here, and only clients are graded")
	}
	f.selection.Subjects = []string{"client"}
	requirements, err := f.chosen()
	if err != nil {
		return config, err
	}
	config.tasks, config.selected = shownIn(f.tasks, f.selection), map[string]bool{}
	for _, r := range requirements {
		config.selected[r.ID] = true
	}
	if err := f.known.read(cmd); err != nil {
		return config, err
	}
	if f.eventTimeout < time.Millisecond || f.eventTimeout > time.Hour {
		return config, usage("--event-timeout %s: expected 1ms to 1h", f.eventTimeout)
	}
	if f.aggregation < 0 || f.aggregation > time.Minute {
		return config, usage("--aggregation %s: expected 0s to 1m", f.aggregation)
	}
	for _, origin := range f.origins {
		if u, err := url.Parse(origin); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			return config, usage("--origin %q is no origin: expected scheme and host, as in https://app.contoso.com, and no path", origin)
		}
	}
	config.server = ucwatest.Config{Origins: f.origins, EventTimeout: f.eventTimeout, Aggregation: f.aggregation}
	if config.faults, err = faultsNamed(f.faults); err != nil {
		return config, err
	}
	all := &people{users: []ucwatest.User{builtIn}}
	if f.users != "" {
		if all, err = usersFrom(f.users); err != nil {
			return config, err
		}
	}
	if err := f.addPeers(cmd, all); err != nil {
		return config, err
	}
	config.users, config.server.Groups = all.users, all.groups
	if old, err := os.ReadDir(f.out); f.out != "" && err == nil && len(old) > 0 && !f.quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: --out %s is not empty: what has the name of a client's directory is replaced\n", line(f.out))
	}
	if f.out != "" { // before any client is served
		if err := writable(f.out); err != nil {
			return config, exit{exitFailed, err}
		}
	}
	return config, f.vary(cmd, &config)
}

// addPeers adds the users of --peer, whom the others have in their lists.
func (f *serverFlags) addPeers(cmd *cobra.Command, all *people) error {
	if flag := cmd.Flags().Lookup("peer"); flag.Changed && len(f.peers) == 0 {
		return usage("--peer is empty: give it a value, or leave it out")
	}
	_, domain, _ := strings.Cut(all.users[0].URI, "@")
	own := len(all.users)
	for i, script := range f.peers {
		switch {
		case !slices.Contains(scripts(), script):
			return usage("--peer %q%s: expected one of %s", script, suite.Nearest(script, scripts()), strings.Join(scripts(), ", "))
		case slices.Contains(f.peers[:i], script):
			return usage("--peer %s is given twice", script)
		}
		peer := scripted(script, domain)
		if slices.ContainsFunc(all.users, func(u ucwatest.User) bool { return strings.EqualFold(u.URI, peer.URI) }) {
			return usage("--peer %s: there is a user %s already", script, peer.URI)
		}
		for i := range all.users[:own] {
			all.users[i].Contacts = append(all.users[i].Contacts, peer.URI)
		}
		all.users = append(all.users, peer)
	}
	return nil
}

func faultsNamed(names []string) ([]prove.Fault, error) {
	var list []prove.Fault
	for _, name := range names {
		fault, others, found := prove.ResourceFaultNamed(name)
		var err error
		switch {
		case found:
		case len(others) > 0:
			rel, what, _ := strings.Cut(name, "/")
			return nil, usage("--fault %s: nothing that is called %q%s can be wrong with the resource; there are, behind %s/: %s", name, what, suite.Nearest(what, others), rel, strings.Join(others, ", "))
		default:
			if fault, err = prove.FaultNamed(name); err != nil {
				return nil, usage("--fault: %w; or write a resource and what is wrong with it, such as contact/self (docs/serve.md)", err)
			}
		}
		if fault.Subject != "server" {
			return nil, usage("--fault %s is a fault of clients (%s), and this is a server; docs/proof.md lists those of servers", name, fault.Breaks)
		}
		list = append(list, fault)
	}
	return list, nil
}

// vary chooses the differences of --chaos: each with even odds.
func (f *serverFlags) vary(cmd *cobra.Command, config *hostConfig) error {
	if f.chaos == "" {
		return nil
	}
	seed, err := strconv.ParseUint(f.chaos, 10, 64)
	if f.chaos == "random" {
		seed, err = uint64(rand.Uint32()), nil
	}
	if err != nil {
		return usage("--chaos %q: expected a whole number, or random", f.chaos)
	}
	config.variations = variationsBy(seed)
	if !f.quiet {
		var names []string
		for _, v := range config.variations {
			names = append(names, v.Name)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "--chaos %d: %s\n", seed, strings.Join(names, ", "))
	}
	return nil
}

func variationsBy(seed uint64) []prove.Variation {
	dice := rand.New(rand.NewPCG(seed, 0))
	var list []prove.Variation
	for _, v := range prove.Variations() {
		if dice.IntN(2) == 1 {
			list = append(list, v)
		}
	}
	return list
}

// serveFlags are the flags of `conform serve`.
type serveFlags struct {
	server   serverFlags
	place    placeFlags
	caDir    string
	exportCA string
	cert     string
	key      string
	duration time.Duration
	page     string
}

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve: a strict UCWA server to write clients against, which grades them",
		Long: `serve is the reference server for people who write UCWA clients: Autodiscover, sign-in,
applications, presence and events, in memory. It says on standard error what clients ask and what
they break; its page shows the same (open the address in a browser). At the end, by Ctrl-C or after
--for, it says what came of each client.

Have your client trust the certificate that it names. Autodiscover's name, localhost, leads to the
pool, 127.0.0.1; with --host, --pool-host and others it stands for several hosts: docs/serve.md.

Exit codes: those of run, of the worst client; 3 also where no client came.`,
		Example: `  conform serve
  conform serve --users users.yaml --origin https://app.contoso.com --out reports/
  conform serve --host lyncdiscover.contoso.com --pool-host lyncweb.contoso.com --listen 127.0.0.1:443
  conform serve --plain --listen 127.0.0.1:8080 --for 10m --format json
  conform serve --fault makeMeAvailable-409-first        how does my client take it?
  conform serve --chaos random`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.serve(cmd) },
	}
	flags := cmd.Flags()
	f.server.add(cmd)
	f.place.add(cmd, &f.server, "127.0.0.1:8443")
	flags.StringVar(&f.caDir, "ca-dir", "", "directory of the certificate authority; the default is conform, in the directory for the user's settings")
	flags.StringVar(&f.exportCA, "export-ca", "", "also write the authority's certificate into this file")
	flags.StringVar(&f.cert, "cert", "", "PEM file with your own certificate instead (and --key)")
	flags.StringVar(&f.key, "key", "", "PEM file with its key")
	flags.DurationVar(&f.duration, "for", 0, "end after so much time; 0 is at Ctrl-C")
	flags.StringVar(&f.page, "page", "local", "who may look at the page of this server: local, any, off")
	complete(cmd, "page", func() []string { return []string{"local", "any", "off"} })
	complete(cmd, "for", func() []string { return nil })
	f.server.brief = true
	return cmd
}

func (f *serveFlags) serve(cmd *cobra.Command) error {
	if err := f.consistent(cmd); err != nil {
		return err
	}
	config, err := f.server.host(cmd)
	if err != nil {
		return err
	}
	config.page, config.names = f.page, f.place.names()
	trust, err := f.certificate(&config)
	if err != nil {
		return exit{exitFailed, err}
	}
	listeners, name, err := f.place.open()
	if err != nil {
		return exit{exitFailed, fmt.Errorf("--listen: %w", err)}
	}
	f.place.server(&config.server)
	shown := io.Discard
	if !f.server.quiet {
		shown = cmd.ErrOrStderr()
	}
	log := newLineLog(shown)
	config.tell, config.exchanges = log.tell, true
	h := newHost(config)
	if err := h.listenAll(listeners); err != nil {
		log.close()
		return exit{exitFailed, err}
	}
	f.greet(shown, config, name, trust)
	ctx, cancel := cmd.Context(), func() {}
	if f.duration > 0 {
		ctx, cancel = context.WithTimeout(ctx, f.duration)
	}
	<-ctx.Done()
	cancel()
	h.close()
	log.close()
	return f.server.report(cmd, h, nil)
}

func (f *serveFlags) consistent(cmd *cobra.Command) error {
	for _, name := range []string{"ca-dir", "export-ca", "cert", "key"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return usage("--%s is empty: give it a value, or leave it out", name)
		}
	}
	if err := f.place.consistent(cmd); err != nil {
		return err
	}
	switch {
	case !slices.Contains([]string{"local", "any", "off"}, f.page):
		return usage("--page %q: expected local, any or off", f.page)
	case (f.cert == "") != (f.key == ""):
		return usage("--cert and --key go together")
	case f.server.plain && (f.cert != "" || f.caDir != "" || f.exportCA != ""):
		return usage("--plain excludes --cert, --ca-dir and --export-ca: without TLS there is no certificate")
	case f.cert != "" && (f.caDir != "" || f.exportCA != ""):
		return usage("--cert excludes --ca-dir and --export-ca: the certificate is yours")
	case f.duration < 0:
		return usage("--for %s: expected a time that is not negative", f.duration)
	}
	return nil
}

// certificate gives the host its certificate, and returns the path of what clients trust.
func (f *serveFlags) certificate(config *hostConfig) (trust string, err error) {
	if f.server.plain {
		return "", nil
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return "", fmt.Errorf("--cert, --key: %w", err)
		}
		config.certificate = &pair
		return "", nil
	}
	dir := f.caDir
	if dir == "" {
		if dir, err = authorityDir(f.place.certified()); err != nil {
			return "", err
		}
	}
	a, err := openAuthority(dir, f.place.certified())
	if err != nil {
		return "", err
	}
	if f.exportCA != "" {
		if err := atomicfile.Write(f.exportCA, 0o644, a.pem()); err != nil {
			return "", fmt.Errorf("--export-ca: %w", err)
		}
	}
	config.certificate, err = a.certificateFor(f.place.certified())
	return cmp.Or(f.exportCA, a.path), err
}

// greet says where the server is, who can sign in, and what to trust.
func (f *serveFlags) greet(w io.Writer, config hostConfig, name, trust string) {
	address, everywhere := f.place.address()
	listens := net.JoinHostPort(address, f.place.port)
	if everywhere {
		listens += ", every address of this machine"
	}
	if !isLoopback(address) {
		fmt.Fprintf(w, "WARNING: %s is reached by other machines, and this is a test server: the users and passwords are known\n", net.JoinHostPort(address, f.place.port))
	}
	fmt.Fprintf(w, "conform serve listens on %s\n\n", listens)
	fmt.Fprintf(w, "  Autodiscover  %s\n", f.place.begin(f.place.first(name)))
	if other := machineName(); everywhere && other != "" && len(f.place.hosts) == 0 {
		fmt.Fprintf(w, "  from others   %s\n", f.place.begin(other))
	}
	way := config.server.SignIn
	switch pool := f.place.origin("127.0.0.1"); {
	case way.Home != "":
		fmt.Fprintf(w, "  pool          %s, which sends users on to %s (each refuses the tokens of the other)\n", way.Pool, way.Home)
	case way.Pool != "":
		fmt.Fprintf(w, "  pool          %s (tokens of another host are refused)\n", way.Pool)
	case way.Aliases[f.place.first(name)] != "":
		fmt.Fprintf(w, "  pool          %s, to which Autodiscover leads\n", pool)
	}
	if f.page != "off" {
		fmt.Fprintf(w, "  dashboard     %s%s\n", f.place.origin(name), pagePath)
	}
	if trust != "" {
		fmt.Fprintf(w, "  CA file       %s\n", trust)
	}
	if f.server.users == "" {
		fmt.Fprintf(w, "  user          %s, password %s (--users FILE for others)\n", builtIn.URI, builtIn.Password)
	} else {
		fmt.Fprintf(w, "  users         %d, of %s\n", len(config.users)-len(f.server.peers), f.server.users)
	}
	for _, u := range config.users {
		for _, script := range ucwatest.Scripts() {
			if u.Script == script.Name {
				fmt.Fprintf(w, "  peer          %s, who needs no client: %s\n", u.URI, script.Does)
			}
		}
	}
	for _, fault := range config.faults {
		fmt.Fprintf(w, "  fault         %s: %s\n", fault.Name, fault.Breaks)
	}
	end := "Ctrl-C ends it"
	if f.duration > 0 {
		end = fmt.Sprintf("it ends after %s, or at Ctrl-C", f.duration)
	}
	fmt.Fprintf(w, "\n%s, and says what came of each client.\n\n", end)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var errNobody = errors.New("no client signed in, so there is none to grade")
