package endtoend

import (
	"bytes"
	"os/exec"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestPrometheus holds that Prometheus' own parser reads what is written for it, whatever a target is called.
func TestPrometheus(t *testing.T) {
	report := &reports.Report{Schema: reports.SchemaID, Name: "q\"uo\\te\n\x1b[31m, {é", Evidence: reports.Evidence{Kind: "live"},
		Results: []reports.Result{{Requirement: "set-presence.2.status", Level: "must", Subject: "server", Verdict: reports.Fail, Evidence: []reports.Pointer{}}}}
	report.Tally()
	matrix := &reports.Matrix{}
	matrix.Add("r.json", report)
	matrix.Finish()
	var one, many bytes.Buffer
	if err := reports.Write(&one, report, "prometheus", reports.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := reports.WriteMatrix(&many, matrix, "prometheus", reports.Options{}); err != nil {
		t.Fatal(err)
	}
	ran, err := exec.Command(program, "run", "--format", "prometheus").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"a report": one.Bytes(), "a matrix": many.Bytes(), "a run": ran} {
		var parser expfmt.TextParser
		families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		value := func(metric string, labels map[string]string) float64 {
			for _, m := range families[metric].GetMetric() {
				if matches(m, labels) {
					return m.GetGauge().GetValue()
				}
			}
			t.Errorf("%s has no %s of %v", name, metric, labels)
			return -1
		}
		outcome := map[bool]string{true: "conformant", false: "nonconformant"}[name == "a run"]
		if value("conform_outcome", map[string]string{"outcome": outcome}) != 1 || value("conform_targets", map[string]string{"outcome": outcome}) != 1 ||
			value("conform_target_outcome", map[string]string{"outcome": outcome}) != 1 || value("conform_targets", map[string]string{"outcome": "missing"}) != 0 {
			t.Errorf("%s is not %s:\n%s", name, outcome, text)
		}
		if name == "a run" && (value("conform_verdicts", map[string]string{"verdict": "pass"}) < 200 || value("conform_run_timestamp_seconds", nil) < 1.7e9) {
			t.Errorf("%s", text)
		}
	}
}

func matches(m *dto.Metric, labels map[string]string) bool {
	for name, value := range labels {
		found := false
		for _, l := range m.GetLabel() {
			found = found || l.GetName() == name && l.GetValue() == value
		}
		if !found {
			return false
		}
	}
	return true
}
