package main

import (
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
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
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
		Long: `redact keeps of recordings what is of the protocol, such as names of members and values
of enumerations, and masks the rest. Hosts, people, addresses, phone numbers and ids get
numbered pseudonyms, the same wherever they stand, so that links still lead where they
led; tokens, cookies and passwords become REDACTED; every other text becomes text-1 and so
on. No key is kept: nothing tells what they stood for. The verdicts stay.

It reads any go-vcr v3 cassette, and writes FILE.redacted.yaml beside it unless
--out says otherwise. Files given together get the same pseudonyms.

Exit codes: 0 written, 2 usage, 4 a file failed; 130 interrupted.`,
		Example: `  conform redact recording.yaml
  conform redact recording.yaml --out shared.yaml --redact Fabrikam --redact "Project Ophir"
  conform redact monday.yaml tuesday.yaml --out shared/
  conform redact recording.yaml --keep-names         # with hosts, people and addresses`,
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
	flags.StringArrayVar(&f.words, "redact", nil, "mask this word too, of 3 characters or more; can be repeated")
	flags.BoolVar(&f.keepNames, "keep-names", false, "keep hosts, people and addresses where the protocol has them")
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
			return usage("--redact %q: expected 3 characters or more; so short a text is part of too many others", word)
		}
		if mask.Ordinary(strings.TrimSpace(word)) {
			return usage("--redact %q: it is a word of the protocol or of pseudonyms, and stays: to mask it everywhere would change the verdicts", word)
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
	m := masker(f.words, f.keepNames)
	made := make([]*cassettes.Cassette, len(files))
	for i, file := range files {
		c, err := during(cmd, false, "reading "+file, func() (*cassettes.Cassette, error) { return cassettes.Open(file) })
		if err != nil {
			return unread(err) // which names the file
		}
		if made[i], err = during(cmd, false, "redacting "+file, func() (*cassettes.Cassette, error) { return c.Masked(m), nil }); err != nil {
			return failedAt(file, err)
		}
	}
	sayFound(cmd, m)
	for i, c := range made {
		if err := c.Save(targets[i]); err != nil {
			return exit{exitFailed, err}
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s; masked: %s\n", targets[i], number(len(c.Exchanges), "exchanges"), listed(m.Counts())); err != nil {
			return exit{exitFailed, err}
		}
	}
	return nil
}

// masker returns what masks recordings that belong together: what stands in two of them has one pseudonym.
func masker(words []string, keepNames bool) *mask.Masker {
	o := mask.Options{Words: words}
	if keepNames {
		o.Keeps = mask.Names
	}
	return mask.New(o)
}

// targets returns where each file's redacted form goes, and refuses to write over anything.
func (f *redactFlags) targets(files []string) ([]string, error) {
	dir := ""
	if info, err := os.Stat(f.out); f.out != "" && (err == nil && info.IsDir() || strings.HasSuffix(f.out, "/")) {
		dir = f.out
	} else if f.out != "" && len(files) > 1 {
		return nil, usage("--out %s: %d recordings need a directory that exists, or a name that ends with /", f.out, len(files))
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
			return nil, usage("%s exists: give another name with --out, or --force to replace it", target)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, exit{exitFailed, err}
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// sayFound says how much the second line removed that should have been masked.
func sayFound(cmd *cobra.Command, m *mask.Masker) {
	if n := m.Found(); n > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "conform: "+removed(n))
	}
}

// removed says it of values.
func removed(n int) string {
	return fmt.Sprintf("%s that should have been masked stood in the evidence or its report, and were removed: please report it to the authors of conform", number(n, "values"))
}

// listed tells how many of each kind have been masked, and never what they were.
func listed(counts map[string]int) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		if counts[kind] > 0 {
			parts = append(parts, number(counts[kind], kind))
		}
	}
	if len(parts) == 0 {
		return "nothing, there was nothing left to mask"
	}
	return strings.Join(parts, ", ")
}

// number says how many of a kind, whose name is a plural.
func number(n int, kind string) string {
	if n == 1 {
		kind = strings.TrimSuffix(kind, "s")
	}
	return fmt.Sprintf("%d %s", n, kind)
}
