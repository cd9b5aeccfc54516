package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unwanted are words that messages, help, pages and documents had too many of: each reader of English as a second language has to guess at them.
// docs/glossary.md has the words to use.
var unwanted = regexp.MustCompile(`(?i)\b(?:nobody|whoever|tells? of|told of|held against|passe[sd] over|mend(?:s|ed|ing)?|borne|in vain|is there already|by now|stands? in)\b`)

// spelled are names, which stay.
var spelled = strings.NewReplacer("conform-nobody", "", "nobody-handed-out", "", "nobody.invalid", "", "(nobody)", "", "cwt=of-nobody", "")

// TestWords holds that no text that a person reads has a word of the list.
func TestWords(t *testing.T) {
	root := "../.."
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".git") && entry.Name() != ".github" || entry.Name() == "testdata" || entry.Name() == "tools"):
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"), filepath.Base(path) == "changelog.md": // which has the words of its day
			return nil
		case filepath.Ext(path) == ".md", filepath.Ext(path) == ".tmpl", filepath.Ext(path) == ".html":
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for n, line := range strings.Split(string(data), "\n") {
				if word := unwanted.FindString(spelled.Replace(line)); word != "" {
					t.Errorf("%s:%d: %q", path, n+1, word)
				}
			}
		case filepath.Ext(path) == ".go":
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
					if word := unwanted.FindString(spelled.Replace(text.Value)); word != "" && text.Value != `"nobody"` {
						t.Errorf("%s: %q", files.Position(text.Pos()), word)
					}
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
