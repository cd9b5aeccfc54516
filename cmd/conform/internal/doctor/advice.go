package doctor

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/network"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// detailOf is an error without the request in it, which the finding names already.
func detailOf(err error) string {
	challenge, answer, network := (*ucwa.ChallengeError)(nil), (*ucwa.Error)(nil), (*url.Error)(nil)
	switch {
	case errors.As(err, &challenge):
		return fmt.Sprintf("%d: %s; WWW-Authenticate: %q", challenge.Status, challenge.Problem, challenge.Lines)
	case errors.As(err, &answer):
		bare := *answer
		bare.Method, bare.URL = "", ""
		return bare.Error()
	case errors.As(err, &network):
		return network.Err.Error()
	}
	return requestFirst.ReplaceAllString(err.Error(), "")
}

var requestFirst = regexp.MustCompile(`^(GET|POST|DELETE) \S+: `)

// challengeAdvice is for an answer that does not say where tokens are to be had.
func challengeAdvice(err error) string {
	e := (*ucwa.ChallengeError)(nil)
	if !errors.As(err, &e) {
		return answerAdvice(err)
	}
	lines := strings.ToLower(strings.Join(e.Lines, "\n"))
	switch {
	case e.Status != http.StatusUnauthorized:
		return "look at what answers there: who has no token should be challenged with 401"
	case strings.Contains(lines, "msrtcoauth"):
		return "look at the URLs of the web services in the topology, and at a reverse proxy that rewrites them"
	case strings.Contains(lines, "authorization_uri"):
		return "the server wants modern authentication (OAuth of Entra ID or AD FS) alone: allow the sign-in of its own, or bring a token and use --application"
	case strings.Contains(lines, "negotiate"), strings.Contains(lines, "ntlm"), strings.Contains(lines, "basic"):
		return "something before the server wants a sign-in of its own, likely the reverse proxy: have it pass requests on unauthenticated"
	}
	return "look whether a reverse proxy drops WWW-Authenticate; else restart the web services of the pool (IIS), and look into their log"
}

// tokenDetail is the error without the advice in it, which is given apart.
func tokenDetail(err error) string {
	e := (*ucwa.TokenError)(nil)
	if passive := (*ucwa.PassiveError)(nil); errors.As(err, &passive) || !errors.As(err, &e) {
		return detailOf(err)
	}
	detail := fmt.Sprintf("%d", e.Status)
	for _, part := range []string{e.Code, e.Description, e.Problem} {
		if part != "" {
			detail += ": " + part
		}
	}
	if d := e.Diagnostics; d.Code != "" {
		detail += fmt.Sprintf("; X-Ms-diagnostics %s: %s", d.Code, d.Reason)
	}
	return detail + " (grant " + strings.TrimPrefix(e.Grant, "urn:microsoft.rtc:") + ")"
}

func tokenAdvice(err error) string {
	e, passive := (*ucwa.TokenError)(nil), (*ucwa.PassiveError)(nil)
	switch {
	case errors.As(err, &passive):
		return "sign in there with a browser, or give a user name and a password, if the server offers a grant for these"
	case !errors.As(err, &e):
		return answerAdvice(err)
	case e.Refused() && e.Grant == ucwa.GrantAnonMeeting:
		return "check the meeting's URI and its conference key, and that the meeting takes guests"
	case e.Refused():
		return "check the user name and the password, and that the account is not locked; they were sent once and not again. " +
			`Where the SIP address is not the name of the account, give that with --username (CONTOSO\dana)`
	case e.Code == "unsupported_grant_type":
		return "the server offers the grant and does not do it: choose another with --grant"
	case e.Status >= http.StatusInternalServerError:
		return "the server failed: look into its event log, and whether it reaches a domain controller"
	}
	return "look at what answers at the token endpoint: it should be the web ticket service of the pool"
}

// answerAdvice is for an answer of the user resource, of an application or of its host.
func answerAdvice(err error) string {
	e := (*ucwa.Error)(nil)
	if !errors.As(err, &e) {
		switch text := err.Error(); {
		case strings.Contains(text, "enabled for UCWA"):
			return "enable the user for Skype for Business (Enable-CsUser), look at where the account is homed (Get-CsUser), and at its mobility policy"
		case strings.Contains(text, "outside the user's domain"):
			return network.Advice(text)
		case strings.Contains(text, "not followed"):
			return "look at the external web services URL of the pool: the link should lead to https, on the usual port"
		default:
			if advice := network.Advice(text); advice != "" {
				return advice
			}
			return "look at what answers there: is it the pool, or something before it?"
		}
	}
	diagnostics := ucwa.ParseDiagnostics(e.Diagnostics)
	switch {
	case diagnostics.Code == "28055", diagnostics.Code == "28032":
		return "the server takes the token for one of another host: have the reverse proxy pass on the Host header as it came, " +
			"and look whether the names of the web services are unique to this pool and the servers behind the name are of one pool"
	case diagnostics.Code == "28070":
		return "the origin is not on the server's list: Set-CsWebServiceConfiguration -CrossDomainAuthorizationList"
	case e.Status == http.StatusUnauthorized:
		return "the token is not taken: it has expired, is cut off, or is for another host"
	case e.Status == http.StatusForbidden:
		return "the user may not do this: look at the policies of the account, and at X-Ms-diagnostics"
	case e.Status == http.StatusNotFound && e.Subcode == "ApplicationNotFound":
		return "the application has ended: create another; without a pending GET one lives for 15 minutes"
	case e.Status == http.StatusNotFound:
		return "publish the path /ucwa of the external web site at the reverse proxy; inside, look whether UCWA is installed on the pool"
	case e.Status == http.StatusTooManyRequests, e.Status == http.StatusServiceUnavailable:
		return "the server is busy or starting: try again later; if it stays so, look at its services and at the load balancer's health checks"
	case e.Status >= http.StatusInternalServerError:
		return "the server failed: look into its event log (LS UCWA), and at the pool behind the reverse proxy"
	}
	return "look at what answers there, and at X-Ms-diagnostics if there is one"
}

// eventsAdvice is for the event channel, which alone needs requests that wait.
func eventsAdvice(err error, last exchange) string {
	switch e := (*ucwa.Error)(nil); {
	case !errors.As(err, &e) && last.status == 0:
		return "something cut the request that waits: let the load balancer and the proxies keep an idle connection for 20 minutes"
	case e != nil && (e.Status == http.StatusBadGateway || e.Status == http.StatusGatewayTimeout):
		return "the reverse proxy gave up on the request that waits: let it wait for 20 minutes"
	case e != nil && e.Subcode == "PGetReplaced":
		return "another client waits on the event channel of the same application: stop it, or look at another application"
	}
	return answerAdvice(err)
}
