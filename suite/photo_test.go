package suite

import (
	"net/http"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestPhotos holds that pictures, which a cookie opens and which are no resources, are held against no one: asked for without a token, and
// refused in the server's own way or not there, with a page of HTML.
func TestPhotos(t *testing.T) {
	for name, photo := range map[string]struct {
		path   string
		status int
		media  string
		token  bool
		ended  bool // before it
	}{
		"a contact's, by cookie":   {"/ucwa/oauth/v1/applications/101/photos/ChrisB@contoso.com", 200, "image/jpeg", false, false},
		"one's own, by cookie":     {"/ucwa/oauth/v1/applications/101/photos/Dana@contoso.com", 200, "image/jpeg", false, false},
		"refused to a cookie":      {"/ucwa/oauth/v1/applications/101/photos/Dana@contoso.com", 403, "text/html", false, false},
		"refused to nobody":        {"/ucwa/oauth/v1/applications/101/photos/Dana@contoso.com", 401, "text/html", false, false},
		"not there":                {"/ucwa/oauth/v1/applications/101/photos/Dana@contoso.com", 404, "text/html", true, false},
		"still loading at the end": {"/ucwa/oauth/v1/applications/101/photos/Dana@contoso.com", 200, "image/jpeg", false, true},
	} {
		c, err := cassettes.Open("testdata/batch.yaml")
		if err != nil {
			t.Fatal(err)
		}
		list := c.Exchanges[:2:2]
		x := *list[1].Interaction
		if photo.ended {
			end := *list[1].Interaction
			end.ID, end.Request.Method, end.Response.Code, end.Response.Status, end.Response.Body = 3, http.MethodDelete, 204, "204 No Content", ""
			list = append(list, cassettes.Exchange{Interaction: &end})
		}
		x.ID = len(list) + 1
		x.Request.Headers, x.Response.Headers = x.Request.Headers.Clone(), http.Header{"Content-Type": {photo.media}}
		x.Request.URL = "https://lyncweb.contoso.com" + photo.path
		if !photo.token {
			for _, field := range []string{"Authorization", "X-Ms-Origin", "X-Requested-With", "Referer"} {
				x.Request.Headers.Del(field)
			}
			x.Request.Headers.Set("Cookie", "cwt_ucwa=AAEB...buHc")
		}
		x.Response.Code, x.Response.Status, x.Response.Body = photo.status, http.StatusText(photo.status), "<html></html>"
		c.Exchanges = append(list, cassettes.Exchange{Interaction: &x})
		located, err := Locate(c, "set-presence")
		if err != nil || len(located) != 1 {
			t.Fatal(len(located), err)
		}
		judged := 0
		for _, r := range examined(t, located[0]) {
			if r.Verdict == reports.Pass {
				judged++
			}
			if r.Verdict == reports.Fail || r.Verdict == reports.Warn {
				t.Errorf("%s: %s is %s: expected %s, observed %s", name, r.Requirement, r.Verdict, r.Expected, r.Observed)
			}
		}
		if judged < 20 {
			t.Errorf("%s: only %d requirements pass", name, judged)
		}
	}
}
