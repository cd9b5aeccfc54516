package reports

import _ "embed"

//go:embed schema.json
var schema string

//go:embed comparison.schema.json
var comparisonSchema string

//go:embed matrix.schema.json
var matrixSchema string

//go:embed baseline.schema.json
var baselineSchema string

// Schema is the JSON Schema (draft 2020-12) of a report.
func Schema() []byte { return []byte(schema) }

// ComparisonSchema is the JSON Schema of a [Comparison].
func ComparisonSchema() []byte { return []byte(comparisonSchema) }

// MatrixSchema is the JSON Schema of a [Matrix].
func MatrixSchema() []byte { return []byte(matrixSchema) }

// BaselineSchema is the JSON Schema of a [Baseline], for editors of the YAML.
func BaselineSchema() []byte { return []byte(baselineSchema) }
