// Command bare does the three exchanges with net/http alone.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	application := os.Getenv("APPLICATION")
	do := func(method, url, body string, want int) map[string]any {
		req, err := http.NewRequest(method, url, strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
		req.Header.Set("Accept", "application/json")
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != want {
			log.Fatalf("%s %s: %s, want %d", method, url, resp.Status, want)
		}
		var answer map[string]any
		if want == http.StatusOK {
			if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
				log.Fatal(err)
			}
		}
		return answer
	}
	do(http.MethodPost, application+"/me/makeMeAvailable", `{"supportedModalities":["Messaging"]}`, http.StatusNoContent)
	answer := do(http.MethodGet, application, "", http.StatusOK)
	at := any(answer)
	for _, name := range []string{"_embedded", "me", "_links", "presence", "href"} {
		object, _ := at.(map[string]any)
		if at = object[name]; at == nil {
			log.Fatalf("the application has no %s", name)
		}
	}
	if answer["rel"] != "application" {
		log.Fatalf("rel is %v", answer["rel"])
	}
	do(http.MethodPost, os.Getenv("ORIGIN")+at.(string), `{"availability":"Away"}`, http.StatusNoContent)
}
