package ucwatest_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

func Example() {
	server := ucwatest.New(ucwatest.Config{Host: "lyncweb.contoso.com"})
	token := server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"})
	app, err := server.CreateApplication(token, "UCWA Samples", "en-US", "a917c6f4-976c-4cf3-847d-cdfffa28ccdf")
	if err != nil {
		fmt.Println(err)
		return
	}

	running, err := ucwatest.StartTLS(server, ucwatest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer running.Close()

	post := func(path, body string) {
		r, _ := http.NewRequest("POST", "https://lyncweb.contoso.com"+app+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		resp, err := running.Client().Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
	}
	post("/me/presence", `{"availability":"Online"}`)
	post("/me/makeMeAvailable", `{"supportedModalities":["Messaging"]}`)
	post("/me/presence", `{"availability":"Online"}`)
	// Output:
	// 409 Conflict
	// 204 No Content
	// 204 No Content
}

// A test moves the clock rather than wait.
func ExampleManualClock() {
	clock := ucwatest.NewManualClock(time.Date(2013, 1, 17, 0, 0, 0, 0, time.UTC))
	server := ucwatest.New(ucwatest.Config{Clock: clock})
	token := server.AddUser(ucwatest.User{URI: "sip:dana@contoso.com"})
	if _, err := server.CreateApplication(token, "UCWA Samples", "en-US", "a917c6f4-976c-4cf3-847d-cdfffa28ccdf"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(server.Applications())
	clock.Advance(15 * time.Minute)
	fmt.Println(server.Applications())
	// Output:
	// 1
	// 0
}
