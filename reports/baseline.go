package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Baseline is failures that are known, and accepted for a reason. It is a contract with two
// sides: a known failure does not make a run nonconformant, and an entry that is no
// longer true is an error of its own. So it can only shrink unless somebody decides.
type Baseline struct {
	Known  []KnownFailure `yaml:"known"`
	file   string
	sha256 string
}

// KnownFailure is an entry of a baseline.
type KnownFailure struct {
	Requirement string `yaml:"requirement"`
	Reason      string `yaml:"reason"`           // required: why it is accepted, or where it is tracked
	Until       string `yaml:"until,omitempty"`  // the last day, in UTC, on which it is accepted: 2026-12-31
	Target      string `yaml:"target,omitempty"` // only for sources like this, where * stands for anything
	line        int
}

// Known marks a failure that a baseline knows.
type Known struct {
	Reason string `json:"reason"`
	Until  string `json:"until,omitempty"`
}

// String is the reason, and the day until which it holds.
func (k *Known) String() string {
	switch {
	case k == nil:
		return ""
	case k.Until != "":
		return k.Reason + " (until " + k.Until + ")"
	}
	return k.Reason
}

// Applied is the baseline that was applied to a report.
type Applied struct {
	File   string  `json:"file"`
	SHA256 string  `json:"sha256"`
	Stale  []Stale `json:"stale"` // entries that are out of date
}

// Stale is an entry of a baseline that is out of date.
type Stale struct {
	Requirement string `json:"requirement"`
	Problem     string `json:"problem"`
	Reason      string `json:"reason"` // of the entry
}

// unwritten is the reason of an entry that nobody has thought about yet.
const unwritten = "TODO"

// maxBaseline bounds a baseline, in bytes.
const maxBaseline = 1 << 20

// ReadBaseline reads a baseline in YAML. The name is for messages. An entry without a
// reason, or with that which [WriteBaseline] leaves to be filled in, is refused.
func ReadBaseline(name string, r io.Reader) (*Baseline, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBaseline+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxBaseline {
		return nil, fmt.Errorf("%s: is larger than %d KiB, so it is no baseline", name, maxBaseline>>10)
	}
	b := &Baseline{file: name, sha256: digest(data)}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(b); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty: a baseline without a known failure says `known: []`", name)
	} else if wrong := (*yaml.TypeError)(nil); errors.As(err, &wrong) {
		line, what, _ := strings.Cut(wrong.Errors[0], ": ")
		if key, unknown := strings.CutSuffix(what, " not found in type reports.Baseline"); unknown {
			what = "unknown key " + strings.TrimPrefix(key, "field ") + "; a baseline has known, a list of entries"
		} else {
			what = "expected `known:` and a list of entries, each with requirement and reason"
		}
		return nil, fmt.Errorf("%s: is no baseline: %s: %s", name, line, what)
	} else if err != nil {
		return nil, fmt.Errorf("%s: is no baseline: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: holds more than one document: write all entries under one `known:`", name)
	}
	seen := map[[2]string]int{}
	for _, k := range b.Known {
		where := fmt.Sprintf("%s:%d", name, k.line)
		switch {
		case k.Requirement == "":
			return nil, fmt.Errorf("%s: an entry names no requirement", where)
		case strings.TrimSpace(k.Reason) == "", strings.HasPrefix(strings.ToUpper(strings.TrimSpace(k.Reason)), unwritten):
			return nil, fmt.Errorf("%s: %s has no reason yet: write why this failure is accepted, or where it is tracked", where, k.Requirement)
		case seen[[2]string{k.Requirement, k.Target}] > 0:
			return nil, fmt.Errorf("%s: %s is in line %d already", where, k.Requirement, seen[[2]string{k.Requirement, k.Target}])
		}
		if k.Until != "" {
			if _, err := time.Parse(time.DateOnly, k.Until); err != nil {
				return nil, fmt.Errorf("%s: until %q is no date: write it as 2026-12-31", where, shorten(k.Until, 80))
			}
		}
		seen[[2]string{k.Requirement, k.Target}] = k.line
	}
	return b, nil
}

// UnmarshalYAML keeps the line of an entry, for messages.
func (k *KnownFailure) UnmarshalYAML(node *yaml.Node) error {
	k.line = node.Line
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: expected an entry that has a requirement and a reason", node.Line)
	}
	fields := map[string]*string{"requirement": &k.Requirement, "reason": &k.Reason, "until": &k.Until, "target": &k.Target}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		field := fields[key.Value]
		switch {
		case field == nil:
			return fmt.Errorf("line %d: %q is not known here; an entry has requirement, reason, until and target", key.Line, shorten(key.Value, 80))
		case value.Kind != yaml.ScalarNode:
			return fmt.Errorf("line %d: %s is expected to be text", value.Line, key.Value)
		}
		*field = value.Value // as written: a date stays text
	}
	return nil
}

// Apply marks the failures of a report that the baseline knows, and lists the entries
// that are wrong by now: those whose requirement passed, was not judged, or whose last
// day is over. Entries for other targets, and for requirements that were not asked for,
// are left alone. It draws the outcome anew; one that was worse than the results, as
// that of an interrupted run is, stays. names are those by which the target goes beside
// its name and the source of the evidence.
func (b *Baseline) Apply(r *Report, now time.Time, names ...string) {
	results := map[string][]int{}
	for i := range r.Results {
		results[r.Results[i].Requirement] = append(results[r.Results[i].Requirement], i)
	}
	r.Baseline = &Applied{File: b.file, SHA256: b.sha256, Stale: []Stale{}}
	today := now.UTC().Format(time.DateOnly)
	for _, k := range b.Known {
		if !k.concerns(append(names, r.Name, r.Evidence.Source)) {
			continue
		}
		known := 0
		problem := ""
		for _, i := range results[k.Requirement] {
			switch result := &r.Results[i]; {
			case !result.broken() && result.Verdict == Pass:
				problem = "it passes now: remove the entry"
			case !result.broken():
				problem = fmt.Sprintf("it was not judged (%s), so nothing shows that it still fails", result.Verdict)
			case k.Until != "" && today > k.Until:
				problem = "it was accepted until " + k.Until + " and still fails: fix it, or set a later day"
			default:
				result.Known = &Known{k.Reason, k.Until}
				known++
			}
		}
		if problem != "" && known == 0 {
			r.Baseline.Stale = append(r.Baseline.Stale, Stale{k.Requirement, problem, k.Reason})
		}
	}
	before := *r
	before.Results = each(r.Results, func(result Result) Result { result.Known = nil; return result })
	before.Tally()
	outcome := r.drawn()
	if before.Outcome == r.Outcome || outcome == Nonconformant {
		r.Outcome = outcome
	}
}

// concerns tells whether an entry is about a target that goes by one of these names.
func (k KnownFailure) concerns(names []string) bool {
	if k.Target == "" {
		return true
	}
	pattern := regexp.MustCompile("(?is)^" + strings.ReplaceAll(regexp.QuoteMeta(k.Target), `\*`, ".*") + "$")
	for _, name := range names {
		if pattern.MatchString(name) {
			return true
		}
	}
	return false
}

// stale is the entries of the report's baseline that are wrong by now.
func (r *Report) stale() []Stale {
	if r.Baseline == nil {
		return nil
	}
	return r.Baseline.Stale
}

// WriteBaseline writes the failures of a report as a baseline whose reasons are to be
// filled in, and returns how many there are. Until they are, [ReadBaseline] refuses it.
func WriteBaseline(w io.Writer, r *Report) (int, error) {
	b := Baseline{Known: []KnownFailure{}}
	seen := map[string]bool{}
	comments := map[string]string{}
	for _, result := range r.Results {
		if !result.broken() || !result.binding(r.Strict) || seen[result.Requirement] {
			continue
		}
		seen[result.Requirement] = true
		k := KnownFailure{Requirement: result.Requirement, Reason: unwritten}
		if result.Known != nil {
			k.Reason, k.Until = result.Known.Reason, result.Known.Until
		}
		comments[k.Requirement] = visible(shorten(result.Statement, shownRunes)) + "\nobserved: " + visible(shorten(result.Observed, shownRunes))
		b.Known = append(b.Known, k)
	}
	var document yaml.Node
	if err := document.Encode(b); err != nil {
		return 0, err
	}
	for _, entry := range document.Content[1].Content {
		entry.HeadComment = comments[entry.Content[1].Value]
	}
	document.HeadComment = "Known failures of " + visible(shorten(r.target(), shownRunes)) + ", for conform run --expect.\n" +
		"Write a reason for each: one that is TODO is refused. until: 2026-12-31 sets a last day."
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&document); err != nil {
		return 0, err
	}
	return len(b.Known), enc.Close()
}
