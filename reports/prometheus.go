package reports

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// metrics are in the text format of Prometheus, as its node exporter collects it from files. The label target is the name of a
// target, or the source of a report without one, which has a pseudonym.
type metrics struct{ b strings.Builder }

// begin begins a metric.
func (m *metrics) begin(name, help string) {
	fmt.Fprintf(&m.b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

// put writes a value, with labels in pairs of a name and a value.
func (m *metrics) put(name string, value float64, labels ...string) {
	m.b.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		separator := ","
		if i == 0 {
			separator = "{"
		}
		m.b.WriteString(separator + labels[i] + `="` + labelEscapes.Replace(visible(labels[i+1])) + `"`) // visible has escaped line breaks
	}
	if len(labels) > 0 {
		m.b.WriteByte('}')
	}
	m.b.WriteString(" " + strconv.FormatFloat(value, 'f', -1, 64) + "\n")
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// outcomes is the order of the metrics.
var outcomes = []Outcome{Conformant, Nonconformant, Incomplete, Excused}

// all writes the metrics of targets, and of the run on them.
func (m *metrics) all(targets []Column, outcome Outcome, missing []Missing, began, ended time.Time) []byte {
	one := map[bool]float64{true: 1}
	m.begin("conform_outcome", "1 for the outcome of all targets together, 0 for each other.")
	for _, o := range outcomes {
		m.put("conform_outcome", one[o == outcome], "outcome", string(o))
	}
	m.begin("conform_targets", "Targets by outcome; missing counts listed targets without a result.")
	for _, o := range outcomes {
		n := 0
		for _, c := range targets {
			if c.Outcome == o {
				n++
			}
		}
		m.put("conform_targets", float64(n), "outcome", string(o))
	}
	m.put("conform_targets", float64(len(missing)), "outcome", "missing")
	m.begin("conform_target_outcome", "1 for the outcome of a target, 0 for each other.")
	for _, c := range targets {
		for _, o := range outcomes {
			m.put("conform_target_outcome", one[o == c.Outcome], "target", c.Target, "kind", c.Kind, "outcome", string(o))
		}
	}
	for _, t := range missing {
		m.put("conform_target_outcome", 1, "target", t.Target, "kind", "live", "outcome", "missing")
	}
	m.begin("conform_verdicts", "Requirements of a target by verdict.")
	for _, c := range targets {
		for _, v := range verdicts {
			m.put("conform_verdicts", float64(c.Counts.Of(v)), "target", c.Target, "kind", c.Kind, "verdict", string(v))
		}
	}
	if !began.IsZero() {
		m.begin("conform_run_timestamp_seconds", "When the run ended, in seconds since 1970.")
		m.put("conform_run_timestamp_seconds", float64(ended.UnixMilli())/1000)
		m.begin("conform_run_duration_seconds", "How long the run took.")
		m.put("conform_run_duration_seconds", ended.Sub(began).Seconds())
	}
	return []byte(m.b.String())
}

func matrixPrometheus(m *Matrix, _ Options) ([]byte, error) {
	var all ListRun
	for _, r := range m.Runs {
		all.Done = append(all.Done, r.Done...)
	}
	began, ended := all.span()
	return new(metrics).all(m.Targets, m.Outcome, m.Missing, began, ended), nil
}

// renderPrometheus writes a report as a matrix of one target. The run lasted until its last exchange, if exchanges have times.
func renderPrometheus(r *Report, _ Options) ([]byte, error) {
	began := r.Evidence.RecordedAt
	ended := began
	for _, x := range r.Exchanges {
		if end := x.StartedAt.Add(time.Duration(x.DurationMs * float64(time.Millisecond))); !x.StartedAt.IsZero() && end.After(ended) {
			ended = end
		}
	}
	return new(metrics).all([]Column{{Target: r.target(), Kind: r.Evidence.Kind, Outcome: r.Outcome, Counts: r.Counts}}, r.Outcome, nil, began, ended), nil
}
