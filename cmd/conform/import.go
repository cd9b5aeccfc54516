package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// importFlags are the flags of `conform import`.
type importFlags struct {
	redactFlags
	choice choice
}

func newImport() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import CAPTURE --out FILE",
		Short: "Make a cassette of captured traffic",
		Long: `import takes the exchanges of UCWA out of captured traffic, of any format that check
reads, and writes them as a cassette that stock go-vcr v3 loads, redacted as by the
command redact: see there what is masked.

Exit codes: 0 written, 2 usage, 3 the capture holds no exchange of UCWA, 4 a file failed;
130 interrupted.`,
		Example: `  conform import session.har --out session.yaml
  conform import session.saz --out dana.yaml --user sip:dana@contoso.com
  conform import - --out session.yaml --redact Fabrikam < session.har`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("import takes one capture: a cassette is of one")
			}
			return needsCapture(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "", "file to write")
	flags.BoolVar(&f.force, "force", false, "replace the file if it is there")
	f.choice.add(cmd)
	hidingFlags(cmd, &f.words, &f.keepNames)
	completeCaptures(cmd)
	return cmd
}

func (f *importFlags) run(cmd *cobra.Command, file string) error {
	if f.out == "" {
		return usage("import needs --out FILE: the cassette to write")
	}
	if err := wordsToHide(f.words, f.keepNames); err != nil {
		return err
	}
	if _, err := os.Stat(f.out); err == nil && !f.force {
		return usage("%s exists: give another name with --out, or --force to replace it", f.out)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return exit{exitFailed, err}
	}
	read, err := readCapture(cmd, false, file)
	if err != nil {
		return err
	}
	if len(read.Exchanges) == 0 {
		return exit{exitIncomplete, nothingIn(file, read)}
	}
	c, err := f.chosen(read.Cassette)
	if err != nil {
		return err
	}
	m := masker(f.words, f.keepNames)
	made, err := during(cmd, false, "redacting "+file, func() (*cassettes.Cassette, error) { return c.Masked(m), nil })
	if err != nil {
		return failedAt(file, err)
	}
	sayFound(cmd, m)
	if err := made.Save(f.out); err != nil {
		return exit{exitFailed, err}
	}
	for _, note := range read.Notes {
		fmt.Fprintln(cmd.ErrOrStderr(), "note: "+reports.Legible(note))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d of %d exchanges, from %s; masked: %s\n",
		f.out, len(made.Exchanges), read.Seen, read.Format, listed(m.Counts()))
	if err != nil {
		return exit{exitFailed, err}
	}
	return nil
}

// chosen returns the part of a capture that is about the chosen clients.
func (f *importFlags) chosen(c *cassettes.Cassette) (*cassettes.Cassette, error) {
	if f.choice == (choice{}) {
		return c, nil
	}
	all, err := suite.Locate(c)
	if err != nil {
		return nil, exit{exitFailed, err}
	}
	list, err := f.choice.of(all)
	if err != nil {
		return nil, err
	}
	wanted := map[int]bool{}
	for _, e := range list {
		for _, x := range e.Exchanges {
			wanted[x.ID] = true
		}
	}
	part := *c
	part.Exchanges = nil
	for _, x := range c.Exchanges {
		if wanted[x.ID] {
			part.Exchanges = append(part.Exchanges, x)
		}
	}
	return &part, nil
}
