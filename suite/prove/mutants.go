package prove

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// mutant is one small change of a recording, at one place.
type mutant struct {
	operation string // drop, empty, null, retype, rename, status, double, swap
	part      string // of the exchange that is changed
	field     string // what is changed in it: status, header X, request header X, body a.b.0.c; "" for the exchange itself
	exchange  int    // its number
	edit      func(list []cassettes.Exchange) []cassettes.Exchange
}

func (m mutant) name() string {
	return strings.TrimRight(m.part+": "+m.operation+" "+m.field, " ")
}

// onMutants plans to try every mutant of the reference recording.
func onMutants(r *recording) []experiment {
	var planned []experiment
	for _, m := range mutants(r.sound) {
		planned = append(planned, experiment{Trial: Trial{Kind: "recording", Name: m.name(), Does: m.name()}, run: func(_ context.Context, t *Trial) error {
			results, err := r.judge(m.edit(r.sound.Recording.Exchanges))
			if err != nil {
				return err
			}
			t.Failed = broken(results)
			if !m.caught(results) {
				if t.Tolerated = m.tolerated(); t.Tolerated == "" {
					t.Problem = "survives: nothing that concerns it fails"
				}
			}
			return nil
		}})
	}
	return planned
}

// caught reports whether a requirement fails that looked at the exchange which was
// changed; where an exchange itself is missing, or what the client sent is, nothing
// may be left to look at, and the outcome says so.
func (m mutant) caught(results []reports.Result) bool {
	return slices.ContainsFunc(results, func(r reports.Result) bool {
		switch r.Verdict {
		case reports.Fail, reports.Warn:
			return m.field == "" || slices.ContainsFunc(r.Evidence, func(p reports.Pointer) bool { return p.Exchange == m.exchange })
		case reports.NotExercised, reports.Blocked, reports.Error:
			return m.field == "" || m.part == partEnd
		}
		return false
	})
}

const partEnd = "end"

// mutants returns every mutant of a recording: of the first exchange of each part
// its status, each header field and each member of its JSON, and the exchange itself.
func mutants(e *suite.Evidence) []mutant {
	var list []mutant
	seen := map[string]bool{}
	for i, x := range e.Exchanges {
		part := x.Part
		if part == "" || seen[part] {
			continue
		}
		seen[part] = true
		add := func(operation, field string, edit func(x *cassettes.Interaction)) {
			list = append(list, mutant{operation, part, field, x.ID, func(all []cassettes.Exchange) []cassettes.Exchange {
				all = slices.Clone(all)
				all[i] = clone(all[i])
				edit(all[i].Interaction)
				return all
			}})
		}
		whole := func(operation string, edit func(all []cassettes.Exchange) []cassettes.Exchange) {
			list = append(list, mutant{operation, part, "", x.ID, func(all []cassettes.Exchange) []cassettes.Exchange {
				return numbered(edit(all))
			}})
		}
		for _, code := range []int{200, 204, 302, 404, 500} {
			if code != x.Response.Code {
				add("status "+strconv.Itoa(code), "status", func(x *cassettes.Interaction) { x.Response.Code = code })
			}
		}
		for _, name := range slices.Sorted(maps.Keys(x.Response.Headers)) {
			add("drop", "header "+name, func(x *cassettes.Interaction) { delete(x.Response.Headers, name) })
			add("garble", "header "+name, func(x *cassettes.Interaction) { x.Response.Headers[name] = []string{"?"} })
		}
		for _, name := range slices.Sorted(maps.Keys(x.Request.Headers)) {
			if x.Probe != "" {
				break // a mistake already, and no client's
			}
			add("drop", "request header "+name, func(x *cassettes.Interaction) { delete(x.Request.Headers, name) })
			add("garble", "request header "+name, func(x *cassettes.Interaction) { x.Request.Headers[name] = []string{"(?)"} })
		}
		members(x.Response.Body, func(operation, path, changed string) {
			add(operation, "body "+path, func(x *cassettes.Interaction) { x.Response.Body = changed })
		})
		request := x.Request.Body
		if x.Probe != "" {
			request = ""
		}
		members(request, func(operation, path, changed string) {
			add(operation, "request body "+path, func(x *cassettes.Interaction) { setRequestBody(x, changed) })
		})
		if x.Response.Body != "" {
			add("drop", "body", func(x *cassettes.Interaction) { x.Response.Body = "" })
			add("cut", "body", func(x *cassettes.Interaction) { x.Response.Body = x.Response.Body[:len(x.Response.Body)/2] })
		}
		whole("drop", func(all []cassettes.Exchange) []cassettes.Exchange { return slices.Delete(slices.Clone(all), i, i+1) })
		whole("double", func(all []cassettes.Exchange) []cassettes.Exchange {
			return slices.Insert(slices.Clone(all), i, clone(all[i]))
		})
		if i+1 < len(e.Exchanges) {
			whole("swap", func(all []cassettes.Exchange) []cassettes.Exchange {
				all = slices.Clone(all)
				all[i], all[i+1] = all[i+1], all[i]
				return all
			})
		}
	}
	return list
}

// numbered numbers exchanges anew: what comes after what, the suite tells by that.
func numbered(list []cassettes.Exchange) []cassettes.Exchange {
	list = slices.Clone(list)
	for i := range list {
		list[i] = clone(list[i])
		list[i].ID = i + 1
	}
	return list
}

func setRequestBody(x *cassettes.Interaction, body string) {
	x.Request.Body, x.Request.ContentLength = body, int64(len(body))
	x.Request.Headers["Content-Length"] = []string{strconv.Itoa(len(body))}
}

// clone returns a copy of an exchange that shares nothing with it but strings.
func clone(x cassettes.Exchange) cassettes.Exchange {
	copied := *x.Interaction
	copied.Request.Headers, copied.Response.Headers = x.Request.Headers.Clone(), x.Response.Headers.Clone()
	x.Interaction = &copied
	return x
}

// members calls f with every change of every member of a JSON object.
func members(body string, f func(operation, path, changed string)) {
	root, err := ucwa.DecodeJSON([]byte(body))
	if err != nil {
		return
	}
	var walk func(path string, value any, put func(operation string, value any))
	walk = func(path string, value any, put func(operation string, value any)) {
		if path != "" {
			put("null", nil)
			put("retype", retyped(value))
			if e := emptied(value); e != nil {
				put("empty", e)
			}
		}
		switch v := value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				at := strings.TrimPrefix(path+"."+name, ".")
				inner := v[name]
				encode := func(operation string) {
					if data, err := json.Marshal(root); err == nil {
						f(operation, at, string(data))
					}
				}
				walk(at, inner, func(operation string, value any) {
					v[name] = value
					encode(operation)
					v[name] = inner
				})
				delete(v, name)
				encode("drop")
				v["x-"+name] = inner
				encode("rename")
				delete(v, "x-"+name)
				v[name] = inner
			}
		case []any:
			for i, inner := range v {
				at := path + "." + strconv.Itoa(i)
				walk(at, inner, func(operation string, value any) {
					v[i] = value
					if data, err := json.Marshal(root); err == nil {
						f(operation, at, string(data))
					}
					v[i] = inner
				})
			}
		}
	}
	walk("", root, nil)
}

// retyped returns a value of another JSON type, which says as much as the type lets it.
func retyped(value any) any {
	switch v := value.(type) {
	case string:
		return []any{v}
	case map[string]any:
		return fmt.Sprint(len(v))
	case []any:
		return map[string]any{}
	}
	return "?"
}

// emptied returns an empty value of the same JSON type, nil if there is none or it is empty.
func emptied(value any) any {
	switch v := value.(type) {
	case string:
		if v != "" {
			return ""
		}
	case map[string]any:
		if len(v) > 0 {
			return map[string]any{}
		}
	case []any:
		if len(v) > 0 {
			return []any{}
		}
	}
	return nil
}
