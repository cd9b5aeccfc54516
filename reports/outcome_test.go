package reports

import "testing"

func TestOutcomeOf(t *testing.T) {
	all := func(level string, vs ...Verdict) (results []Result) {
		for _, v := range vs {
			results = append(results, Result{Level: level, Verdict: v})
		}
		return results
	}
	good := all("must", Pass)
	for _, test := range []struct {
		name         string
		results      []Result
		loose, tight Outcome
	}{
		{"no results", nil, Incomplete, Incomplete},
		{"only not applicable", all("must", NotApplicable), Incomplete, Incomplete},
		{"only shoulds, and none checked", all("should", NotExercised), Incomplete, Incomplete},
		{"pass", good, Conformant, Conformant},
		{"pass and not applicable", all("must", Pass, NotApplicable), Conformant, Conformant},
		{"must fails", all("must", Pass, Fail), Nonconformant, Nonconformant},
		{"must warns", all("must", Pass, Warn), Nonconformant, Nonconformant},
		{"must fails after a blocked one", all("must", Blocked, Fail), Nonconformant, Nonconformant},
		{"must blocked", all("must", Pass, Blocked), Incomplete, Incomplete},
		{"must not exercised", all("must", Pass, NotExercised), Incomplete, Incomplete},
		{"must errors", all("must", Pass, Error), Incomplete, Incomplete},
		{"unknown verdict", all("must", Pass, "passed"), Incomplete, Incomplete},
		{"unknown level fails", append(all("shall", Fail), good...), Nonconformant, Nonconformant},
		{"should warns", append(all("should", Warn), good...), Conformant, Nonconformant},
		{"should fails", append(all("should", Fail), good...), Conformant, Nonconformant},
		{"should blocked", append(all("should", Blocked), good...), Conformant, Incomplete},
		{"should not exercised", append(all("should", NotExercised), good...), Conformant, Incomplete},
		{"should errors", append(all("should", Error), good...), Conformant, Incomplete},
		{"should not applicable", append(all("should", NotApplicable), good...), Conformant, Conformant},
		{"may warns, blocked, not exercised, errors", append(all("may", Warn, Blocked, NotExercised, Error), good...), Conformant, Conformant},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := OutcomeOf(test.results, false); got != test.loose {
				t.Errorf("outcome is %s, want %s", got, test.loose)
			}
			if got := OutcomeOf(test.results, true); got != test.tight {
				t.Errorf("strict outcome is %s, want %s", got, test.tight)
			}
		})
	}
}

func TestTally(t *testing.T) {
	r := everything()
	r.Results = append(r.Results, Result{Level: "may", Verdict: "unheard of"})
	r.Tally()
	if want := (Counts{Pass: 3, Fail: 1, Warn: 1, Blocked: 2, NotExercised: 1, NotApplicable: 1, Error: 3}); r.Counts != want {
		t.Errorf("counts are %+v, want %+v", r.Counts, want)
	}
	if r.Counts.Total() != len(r.Results) {
		t.Errorf("the counts add up to %d of %d results", r.Counts.Total(), len(r.Results))
	}
	if r.Outcome != Nonconformant {
		t.Errorf("outcome is %s", r.Outcome)
	}
	r.Results = nil
	if r.Tally(); r.Counts != (Counts{}) || r.Outcome != Incomplete {
		t.Errorf("a second tally kept something of the first: %+v, %s", r.Counts, r.Outcome)
	}
}

// TestTolerable holds that want of evidence can be tolerated, and nothing else that makes a report incomplete.
func TestTolerable(t *testing.T) {
	for _, row := range []struct {
		name    string
		edit    func(*Report)
		outcome Outcome
		want    bool
	}{
		{"all passed", func(*Report) {}, Conformant, false},
		{"not exercised", func(r *Report) { r.Results[0].Verdict = NotExercised }, Incomplete, true},
		{"not tested", func(r *Report) { r.Results[0].Verdict = NotTested }, Conformant, false},
		{"a capture lost a body", func(r *Report) { r.Evidence.Kind, r.Results[0].Verdict = "capture", Error }, Incomplete, true},
		{"a capture shows a failure of the network", func(r *Report) {
			r.Evidence.Kind, r.Results[0].Verdict = "capture", Error
			r.Exchanges[0].Error = "connection reset"
		}, Incomplete, false},
		{"blocked, as after a failure that was skipped", func(r *Report) { r.Results[0].Verdict = Blocked }, Incomplete, false},
		{"the network failed", func(r *Report) {
			r.Evidence.Kind, r.Results[0].Verdict = "live", Error
		}, Incomplete, false},
		{"cut short", func(r *Report) { r.CutShort, r.Results[0].Verdict = true, NotExercised }, Incomplete, false},
		{"a failure besides", func(r *Report) { r.Results[0].Verdict, r.Results[1].Verdict = NotExercised, Fail }, Nonconformant, false},
		{"nothing passed", func(r *Report) {
			for i := range r.Results {
				r.Results[i].Verdict = NotExercised
			}
		}, Incomplete, false},
	} {
		r := conformant()
		row.edit(r)
		r.Tally()
		if r.Outcome != row.outcome || r.Tolerable() != row.want {
			t.Errorf("%s: %s, tolerable %t", row.name, r.Outcome, r.Tolerable())
		}
	}
}
