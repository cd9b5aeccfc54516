package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// redactFlags are the flags of `conform redact`.
type redactFlags struct {
	out       string
	words     []string
	keepNames bool
	force     bool
}

func newRedact() *cobra.Command {
	var f redactFlags
	cmd := &cobra.Command{
		Use:   "redact FILE...",
		Short: "Make recordings that can be handed to anyone",
		Long: `redact takes the secrets and the identities out of recordings: tokens, cookies and
passwords; hosts, SIP and e-mail addresses, phone numbers, names, GUIDs,
application and conference ids. Each gets a pseudonym of the same shape, the same
wherever it stands, so that links still lead where they led. The key of the
pseudonyms is thrown away: nobody can tell what they stood for.

It reads any go-vcr v3 cassette, and writes FILE.redacted.yaml beside it unless
--out says otherwise. Files given together get the same pseudonyms. What it has
made is searched for all that it took out, and not written if any is left.

Exit codes: 0 written, 2 usage, 4 a file failed, or something would be left in it; 130
interrupted.`,
		Example: `  conform redact recording.yaml
  conform redact recording.yaml --out shared.yaml --redact Fabrikam --redact "Project Ophir"
  conform redact monday.yaml tuesday.yaml --out shared/
  conform redact recording.yaml --keep-names         # only tokens, cookies and passwords`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("redact needs a recording: conform redact FILE...")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "", "file to write, or a directory: an existing one, or a name that ends with /")
	flags.StringArrayVar(&f.words, "redact", nil, "hide this word too, of 3 characters or more; can be repeated")
	flags.BoolVar(&f.keepNames, "keep-names", false, "take only secrets out: keep hosts, people and addresses")
	flags.BoolVar(&f.force, "force", false, "replace files that are there")
	return cmd
}

// wordsToHide refuses words that would hide half of every text, or that would be ignored.
func wordsToHide(words []string, keepNames bool) error {
	if keepNames && len(words) > 0 {
		return usage("--redact and --keep-names exclude each other")
	}
	for _, word := range words {
		if utf8.RuneCountInString(strings.TrimSpace(word)) < 3 {
			return usage("--redact %q: expected 3 characters or more; so short a text stands in too many others", word)
		}
	}
	return nil
}

// run redacts all files before it writes the first.
func (f *redactFlags) run(cmd *cobra.Command, files []string) error {
	if cmd.Flags().Changed("out") && f.out == "" {
		return usage("--out is empty: give it a value, or leave it out")
	}
	if err := wordsToHide(f.words, f.keepNames); err != nil {
		return err
	}
	targets, err := f.targets(files)
	if err != nil {
		return err
	}
	key := make([]byte, 32)
	rand.Read(key) // never fails
	made := make([]redacted, len(files))
	for i, file := range files {
		c, err := during(cmd, false, "reading "+file, func() (*cassettes.Cassette, error) { return cassettes.Open(file) })
		if err != nil {
			return unread(err) // which names the file
		}
		if made[i], err = during(cmd, false, "redacting "+file, func() (redacted, error) { return f.redact(c, key) }); err != nil {
			return failedAt(file, err)
		}
	}
	for i, c := range made {
		if err := c.Save(targets[i]); err != nil {
			return exit{exitFailed, err}
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s; hidden: %s\n", targets[i], number(len(c.Exchanges), "exchanges"), listed(c.counts)); err != nil {
			return exit{exitFailed, err}
		}
	}
	return nil
}

// redacted is a recording that was redacted, and how many of each kind were hidden in it, nil with --keep-names.
type redacted struct {
	*cassettes.Cassette
	counts map[string]int
}

func (f *redactFlags) redact(c *cassettes.Cassette, key []byte) (redacted, error) {
	a, err := cassettes.NewAnonymizer(c, cassettes.AnonymizeOptions{Words: f.words, KeepNames: f.keepNames, Key: key})
	if err != nil {
		return redacted{}, err
	}
	hidden, err := a.Cassette()
	if f.keepNames {
		return redacted{Cassette: hidden}, err
	}
	return redacted{hidden, a.Counts()}, err
}

// targets returns where each file's redacted form goes, and refuses to write over anything.
func (f *redactFlags) targets(files []string) ([]string, error) {
	dir := ""
	if info, err := os.Stat(f.out); f.out != "" && (err == nil && info.IsDir() || strings.HasSuffix(f.out, "/")) {
		dir = f.out
	} else if f.out != "" && len(files) > 1 {
		return nil, usage("--out %s: %d recordings need a directory, whose name ends with / or which is there", f.out, len(files))
	}
	var targets []string
	for _, file := range files {
		target := f.out
		base := strings.TrimSuffix(filepath.Base(file), ".yaml")
		switch {
		case dir != "":
			target = filepath.Join(dir, base+".yaml")
		case target == "":
			target = strings.TrimSuffix(file, ".yaml") + ".redacted.yaml"
			if slices.Contains(cassettes.Names(), file) {
				target = base + ".redacted.yaml" // embedded, not a file: there is no "beside it"
			}
		}
		if slices.Contains(targets, target) {
			return nil, usage("two recordings would both become %s: redact them one after another, with --out", target)
		}
		if _, err := os.Stat(target); err == nil && !f.force {
			return nil, usage("%s is there already: give another name with --out, or --force to replace it", target)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, exit{exitFailed, err}
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// listed tells how many of each kind were hidden, and never what they were.
func listed(counts map[string]int) string {
	if counts == nil {
		return "secrets only (--keep-names)"
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		if counts[kind] > 0 {
			parts = append(parts, number(counts[kind], kind))
		}
	}
	if len(parts) == 0 {
		return "nothing, there was nothing left to hide"
	}
	return strings.Join(parts, ", ")
}

// number says how many of a kind, whose name is a plural.
func number(n int, kind string) string {
	if n == 1 {
		if kind = strings.TrimSuffix(kind, "s"); strings.HasSuffix(kind, "sse") { // addresses
			kind = strings.TrimSuffix(kind, "e")
		}
	}
	return fmt.Sprintf("%d %s", n, kind)
}
