package suite

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// engine are the files of this package that know no page: a new page changes none of them. Every other file is a page, or a block that
// pages share.
var engine = map[string][]string{
	".": {"asides", "batched", "breaks", "certify", "check", "clients", "conditions", "contested", "created", "deadline", "declined", "doc", "drive", "evidence", "follow", "ginkgo",
		"heard", "holders", "index", "judge", "kept", "kinds", "ledger", "links", "locate", "loss", "match", "nearest", "page", "personal",
		"personal_drive", "retry", "roles", "signin", "told", "variants", "waiting"},
	"prove": {"changes", "derived", "explain", "fault", "faults", "live", "mutants", "prove", "proxy", "task", "write"},
}

// TestRooms holds the wall between pages and the engine: the engine names nothing that a page declares, no
// requirement by its id, and no role but those that roles.go names. Of
// package prove the ids alone are looked at: what pages have of particular faults, it lists.
func TestRooms(t *testing.T) {
	for dir, names := range engine {
		fset := gotoken.NewFileSet()
		files := map[string]*ast.File{}
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			name := strings.TrimSuffix(filepath.Base(path), ".go")
			if strings.HasSuffix(name, "_test") {
				continue
			}
			if files[name], err = parser.ParseFile(fset, path, nil, 0); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range names {
			if files[name] == nil {
				t.Errorf("%s/%s.go is not there: take it out of this test's list", dir, name)
			}
		}
		// What other packages declare is not looked up: of that nothing is asked here.
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
		config := types.Config{Error: func(error) {}, Importer: emptyPackages{}}
		_, _ = config.Check(dir, fset, slices.Collect(maps.Values(files)), info)
		looked := 0
		fileOf := func(pos gotoken.Pos) string {
			return strings.TrimSuffix(filepath.Base(fset.Position(pos).Filename), ".go")
		}
		for name, file := range files {
			if !slices.Contains(names, name) {
				continue
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					text, _ := strconv.Unquote(n.Value)
					for _, task := range Tasks() {
						if n.Kind == gotoken.STRING && (text == task || strings.HasPrefix(text, task+".")) {
							t.Errorf("%s: the engine speaks of %q: let the page say it", fset.Position(n.Pos()), text)
						}
					}
					if _, isRole := roles().byName[text]; isRole && dir == "." && roles().byRel[text] == nil && name != "roles" {
						t.Errorf("%s: the engine speaks of the role %q: let the page say it, or name it in roles.go", fset.Position(n.Pos()), text)
					}
				case *ast.Ident:
					of := info.Uses[n]
					if of == nil || !of.Pos().IsValid() || dir != "." {
						break
					}
					if looked++; !slices.Contains(names, fileOf(of.Pos())) {
						t.Errorf("%s: the engine names %s, which %s.go declares: let the page give it, or move what pages have not alone", fset.Position(n.Pos()), n.Name, fileOf(of.Pos()))
					}
				}
				return true
			})
		}
		if dir == "." && looked < 1000 {
			t.Errorf("%s: only %d names were looked up", dir, looked)
		}
	}
}

// emptyPackages imports empty packages.
type emptyPackages struct{}

func (emptyPackages) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}
