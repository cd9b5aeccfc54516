package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mistakes are what is wrong with a file that people write, or with what it names: told
// together, not one a run.
type mistakes struct {
	code  int // the worst exit code of them
	texts []string
}

// shownMistakes are as many as are told. More are of one kind, most likely.
const shownMistakes = 10

// add adds an error, which may be mistakes itself; none is no mistake.
func (m *mistakes) add(err error) {
	if err == nil {
		return
	}
	own, several := exit{exitUsage, err}, (*mistakes)(nil)
	errors.As(err, &own)
	if errors.As(own.error, &several) {
		for _, text := range several.texts {
			m.tell(text)
		}
	} else {
		m.tell(err.Error())
	}
	m.code = max(m.code, own.code)
}

// tell keeps a mistake, once: what stands above a list is read with each part of it.
func (m *mistakes) tell(text string) {
	if !slices.Contains(m.texts[:min(len(m.texts), shownMistakes)], text) {
		m.texts = append(m.texts, text)
	}
}

// err returns an error that tells the mistakes, nil if there are none.
func (m *mistakes) err() error {
	if len(m.texts) == 0 {
		return nil
	}
	return exit{m.code, m}
}

// Error tells each mistake on a line of its own.
func (m *mistakes) Error() string {
	if n := len(m.texts); n > shownMistakes {
		return strings.Join(m.texts[:shownMistakes], "\n") + fmt.Sprintf("\nand %d more", n-shownMistakes)
	}
	return strings.Join(m.texts, "\n")
}
