package reports

import _ "embed"

//go:embed schema.json
var schema string

//go:embed baseline.schema.json
var baselineSchema string

// Schema is the JSON Schema (draft 2020-12) of a report.
func Schema() []byte { return []byte(schema) }

// BaselineSchema is the JSON Schema of a [Baseline], for editors of the YAML.
func BaselineSchema() []byte { return []byte(baselineSchema) }
