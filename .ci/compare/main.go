// Command compare times whole processes that do the same three exchanges with the reference server, over the loopback
// interface, by conform and by other tools: POST makeMeAvailable → 204, GET application → 200 with its links, POST presence →
// 204. Each process has an application of its own. They run in turn, so that a slow moment meets all.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 11, "how often each is run")
	tools := flag.String("tools", "", "directory with the programs")
	here := flag.String("here", ".ci/compare", "directory with what they read")
	flag.Parse()

	server := ucwatest.New(ucwatest.Config{EventTimeout: time.Second})
	running, err := ucwatest.Start(server, ucwatest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer running.Close()
	token := server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"})

	scratch, err := os.MkdirTemp("", "compare")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(scratch)
	tool := func(name string) string { return filepath.Join(*tools, name) }
	file := func(name string) string { return filepath.Join(*here, name) }
	commands := []struct {
		name string
		args []string
	}{
		{"conform run (the embedded recording, all requirements)", []string{tool("conform"), "run", "--format", "json"}},
		{"net/http, without a tool", []string{tool("bare")}},
		{"venom", []string{tool("venom"), "run", file("venom.yaml"), "--output-dir", scratch}},
		{"newman", []string{tool("newman"), "run", file("newman.json")}},
		{"stepci", []string{tool("stepci"), "run", file("stepci.yaml")}},
	}
	took := make([][]time.Duration, len(commands))
	for round := range *rounds + 1 { // the first is not counted: it warms the caches
		for i, c := range commands {
			application, err := server.CreateApplication(token, "compare", "en-US", fmt.Sprintf("3fa85f64-5717-4562-b3fc-%06x%06x", round, i))
			if err != nil {
				log.Fatal(err)
			}
			program := exec.Command(c.args[0], c.args[1:]...)
			program.Env = append(os.Environ(), "TOKEN="+token, "APPLICATION="+running.URL+application, "ORIGIN="+running.URL,
				"VENOM_VAR_token="+token, "VENOM_VAR_application="+running.URL+application, "VENOM_VAR_origin="+running.URL, "STEPCI_DISABLE_ANALYTICS=1")
			if strings.HasSuffix(c.args[0], "newman") {
				program.Args = append(program.Args, "--env-var", "token="+token, "--env-var", "application="+running.URL+application, "--env-var", "origin="+running.URL)
			}
			if strings.HasSuffix(c.args[0], "stepci") {
				program.Args = append(program.Args, "--env", "token="+token, "--env", "application="+running.URL+application, "--env", "origin="+running.URL)
			}
			var said bytes.Buffer
			program.Stdout, program.Stderr = &said, &said
			began := time.Now()
			err = program.Run()
			if round > 0 {
				took[i] = append(took[i], time.Since(began))
			}
			if err != nil {
				log.Fatalf("%s: %v\n%s", c.name, err, said.String())
			}
		}
	}
	fmt.Printf("| whole process, %d runs in turn | median | least | most |\n|---|---:|---:|---:|\n", *rounds)
	for i, c := range commands {
		slices.Sort(took[i])
		ms := func(n int) string { return fmt.Sprintf("%.0f ms", took[i][n].Seconds()*1000) }
		fmt.Printf("| %s | %s | %s | %s |\n", c.name, ms(len(took[i])/2), ms(0), ms(len(took[i])-1))
	}
}
