package ucwatest

import (
	"fmt"
	"net/http"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// refusal is an error that UCWA answers with: an HTTP status, the code that
// names it, perhaps a subcode. Source: API reference, "Errors", ErrorCode and
// ErrorSubcode.
type refusal struct {
	status     int
	subcode    string
	message    string
	parameters []badParameter // only on 400
	header     http.Header
	page       string // of HTML: answered by what stands before UCWA, hence not in JSON
}

type badParameter struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

func refuse(status int, subcode, message string) *refusal {
	return &refusal{status: status, subcode: subcode, message: message}
}

// with adds a response header.
func (r *refusal) with(name, value string) *refusal {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Add(name, value)
	return r
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%d %s %s: %s", r.status, ucwa.StatusCode(r.status), r.subcode, r.message)
}

// answer is the error in the media type that the client takes, JSON if it takes none.
func (r *refusal) answer(mediaType string) answer {
	if r.page != "" {
		return answer{status: r.status, header: r.header, mediaType: "text/html", raw: []byte(r.page)}
	}
	body := object{{"code", ucwa.StatusCode(r.status)}}
	if r.subcode != "" {
		body = append(body, member{"subcode", r.subcode})
	}
	body = append(body, member{"message", r.message})
	if len(r.parameters) > 0 {
		body = append(body, member{"parameters", r.parameters})
	}
	return answer{status: r.status, header: r.header, mediaType: mediaType + utf8Charset, content: body}
}

func notFound() *refusal {
	return refuse(http.StatusNotFound, "", "There is no such resource.")
}

func applicationNotFound() *refusal {
	return refuse(http.StatusNotFound, "ApplicationNotFound", "There is no such application.")
}

func conversationNotFound() *refusal {
	return refuse(http.StatusNotFound, "ConversationNotFound", "There is no such conversation, or it has ended.")
}

func makeMeAvailableRequired() *refusal {
	return refuse(http.StatusConflict, "MakeMeAvailableRequired", "The application has not used makeMeAvailable.")
}

// full refuses what would be more than the server keeps.
func full(status int, subcode string, most int, things string) *refusal {
	return refuse(status, subcode, fmt.Sprintf("There can be %d %s: end or delete one first.", most, things))
}

func anonymousNotAllowed() *refusal {
	return refuse(http.StatusForbidden, "AnonymousNotAllowed", "An anonymous user may not do this.")
}

func notParsed(message string) *refusal {
	return refuse(http.StatusBadRequest, "DeserializationFailure", message)
}

func invalid(parameters []badParameter) *refusal {
	r := refuse(http.StatusBadRequest, "ParameterValidationFailure", "A parameter is missing or not valid.")
	r.parameters = parameters
	return r
}
