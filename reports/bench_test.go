package reports

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// big is a report of n results, each with values as servers send them.
func big(n int) *Report {
	r := everything()
	few := r.Results
	r.Results = nil
	for i := range n {
		result := few[i%len(few)]
		result.Requirement = fmt.Sprintf("%s.%d", result.Requirement, i)
		result.Step = fmt.Sprint(i % 50)
		r.Results = append(r.Results, result)
	}
	r.Tally()
	return r
}

// Each writer takes less than a second for 100,000 results.
func BenchmarkWrite(b *testing.B) {
	r := big(100_000)
	for _, format := range []string{"json", "junit", "markdown", "csv", "github", "intoto"} {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Write(io.Discard, r, format, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// shards writes n reports of 168 results with their exchanges, as runs write them.
func shards(t testing.TB, n int) []string {
	dir := t.TempDir()
	var paths []string
	for i := range n {
		r := big(168)
		r.Evidence.Source = fmt.Sprintf("https://pool-%d.example", i%10)
		r.Exchanges = nil
		for x := range 60 {
			one := everything().Exchanges[x%3]
			one.Number = x + 1
			one.Request.Body = fmt.Sprintf("%2000d", x)
			r.Exchanges = append(r.Exchanges, one)
		}
		path := filepath.Join(dir, fmt.Sprintf("shard-%d.json", i))
		if err := os.WriteFile(path, render(t, r, "json", Options{}), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// A hundred shards are one in less than a second.
func BenchmarkMerge(b *testing.B) { mergeAll(b, shards(b, 100)) }

// BenchmarkMergeMatrices merges what 20 shards of 250 targets left, and shows it.
func BenchmarkMergeMatrices(b *testing.B) {
	var paths []string
	for shard := range 20 {
		m := &Matrix{}
		r := big(168)
		for i := range 250 {
			r.Name = fmt.Sprintf("pool-%d-%d", shard, i)
			m.Add(r.Name+"/report.json", r)
		}
		m.Finish()
		paths = append(paths, matrixFile(b, m))
	}
	mergeAll(b, paths)
}

func mergeAll(b *testing.B, paths []string) {
	b.ReportAllocs()
	for b.Loop() {
		m, err := Merge(MergeOptions{}, paths...)
		if err != nil {
			b.Fatal(err)
		}
		if err := WriteMatrix(io.Discard, m, "html", Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
