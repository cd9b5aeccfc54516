package suite

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// What several pages ask of an answer in the same words: templates of requirements, each at the line of the page that uses it.

// taken are the requirements on the answer to a POST that sets or resets something: 204, without content, that forbids caching.
func taken(step, asked string) []Check {
	return template(
		server(step+".status", must, status(http.StatusNoContent),
			asked+" is answered with 204 No Content.",
			"A framework that answers 200 with an empty body, or 202 since it works on."),
		server(step+".body", must, noContent().unless(unsuccessful),
			"The answer to "+strings.ToLower(asked[:1])+asked[1:]+" has no content.",
			"A framework that writes {} or null after the header."),
		server(step+".headers.cache", should, noCaching(),
			"The answer to "+strings.ToLower(asked[:1])+asked[1:]+" forbids caching.",
			"A reverse proxy with a caching policy of its own."))
}

// served are the requirements on a resource that is read, besides those on its properties: its media type, and a link to itself,
// and that it forbids caching.
func served(step, rel string) []Check { return template(servedAlike(step, rel)...) }

func servedAlike(step, rel string) []Check {
	return []Check{
		server(step+".media", must, header("Content-Type", stringThat(jsonMedia,
			func(s string) bool { return s != "" && isJSONMedia(s) }).but(asPage,
			asGarbage)).unless(noneSent).unless(inXML),
			"The "+rel+" is served with a JSON media type of UCWA.",
			"text/html or text/plain from a framework's default."),
		server(step+".link.self", must, value("_links.self", toItself(rel)),
			"The self link of the "+rel+" leads to the "+rel+" that was asked for.",
			"A resource served without links, since it is small."),
		server(step+".headers.cache", should, noCaching(),
			"The answer with the "+rel+" forbids caching.",
			"A reverse proxy with a caching policy of its own."),
	}
}

// read are the requirements on a resource that no other page reads.
func read(step, rel string) []Check {
	return template(append([]Check{
		server(step+".status", must, status(http.StatusOK),
			"GET "+rel+" is answered with 200 OK.",
			"A resource that can be posted to but not read."),
		server(step+".json", must, object().unless(noneSent),
			"The body of the "+rel+" is one JSON object.",
			"JSON assembled from strings, or a bare text."),
		server(step+".rel", must, value("rel", beOneOf(rel)),
			"The rel of the "+rel+" resource is "+rel+".",
			"A generic serializer that writes the class name."),
	}, servedAlike(step, rel)...)...)
}

// inXML ends a check that is about JSON, on an answer in the other representation of UCWA.
func inXML(_ *check, a answer) {
	if a.inXMLAsAsked() {
		a.check.notExercised(fmt.Sprintf("exchange %d is in XML, as the client asked, and this is about JSON", a.ID))
	}
}

// toItself is a link to what was asked for.
func toItself(what string) wants {
	return func(_ *check, a answer) matcher {
		return leadTo("a link to the "+what+" that was asked for", func(u *url.URL) bool { return linkKey(u) == linkKey(a.url) })
	}
}
