package capture

import (
	"bufio"
	"fmt"
	"io"
)

func readSAZ(name string, in *bufio.Reader, whole io.Reader) (*Capture, error) {
	return nil, fmt.Errorf("%s: SAZ", name)
}
