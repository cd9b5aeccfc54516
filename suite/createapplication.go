package suite

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// createApplication is "Create an application": from the Autodiscover root to the application and its end.
func createApplication() *page {
	return &page{
		Task: "create-application", Title: "Create an application", Revision: 2, about: partCreate, signsIn: &entrance{driveCreateApplication, signInOf}, always: true,
		Document: Document{"Create an application (UCWA 2.0)", "https://learn.microsoft.com/en-us/skype-sdk/ucwa/createanapplication"},
		Clauses: []Clause{
			{ID: "title", Quotes: []string{
				"Create an application",
				"Learn the steps that must be performed to produce an application resource.",
				"Applies to: Skype for Business 2015",
			},
				Excluded: "names the page and the product; says nothing that a server or a client does"},
			{ID: "overview", Quotes: []string{
				"Let's walk through the steps of creating an application.",
				"These steps include discovering a user's home server, authenticating the user, and creating the " +
					"application.",
				"Discovery is the act of finding a home server, while authentication is the act of proving who you " +
					"are to the Skype for Business Server.",
				"After the discovery and authentication processes, the application is registered with the UCWA 2.0 " +
					"server.",
				"The illustration shows the sequence of HTTP requests and responses between the client and the " +
					"UCWA 2.0 server.",
				"HTTP call flow prior to creating an application in UCWA",
				"[picture: HTTP call flow prior to creating an application in UCWA]",
			},
				Excluded: "tells beforehand what the steps then say, each for itself"},
			{ID: "1.request.address", Quotes: []string{
				"The Autodiscovery URL can be constructed by appending the domain name to the string " +
					"\"https://lyncdiscover\".",
				"For example, if the domain name is \"contoso.com\", the Autodiscovery URL would be " +
					"\"https://lyncdiscover.contoso.com/\".",
			},
				Excluded: "tells a client that has no address how to make one up; one that was given the address of its " +
					"root need not"},
			{ID: "1.request.headers", Shows: []string{
				"Accept", "X-Ms-Origin", "X-Requested-With", "Referer", "Accept-Language", "Accept-Encoding",
				"User-Agent", "Host", "Connection",
			},
				Excluded: "every request of a browser has these; they are judged where the application is asked, by " +
					"set-presence.request.*"},
			{ID: "1.answer.cache", Quotes: []string{"The user and xframe URLs will be used later, so it is important that you cache them."},
				Excluded: "judged where they are used: create-application.2.referer, set-presence.nav.links"},
			{ID: "1.answer.transport", Shows: []string{
				"Connection", "Content-Length", "Expires", "Date", "Server", "Cache-Control", "Pragma",
				"X-AspNet-Version", "X-MS-Server-Fqdn", "X-Powered-By", "X-Content-Type-Options",
			},
				Excluded: "written by HTTP, IIS and ASP.NET, not by UCWA; the framing is checked by the HTTP client, and " +
					"create-application.5.headers.cache and set-presence.2.headers.* stand for the rest"},
			{ID: "2.request.headers", Quotes: []string{
				"Notice also that the Host header changes from lyncdiscover.contoso.com to lyncweb.contoso.com.",
			}, Shows: []string{
				"Accept", "X-Ms-Origin", "X-Requested-With", "Accept-Language", "Accept-Encoding",
				"User-Agent", "Host", "Connection",
			},
				Excluded: "every request of a browser has these; they are judged where the application is asked, by " +
					"set-presence.request.*"},
			{ID: "2.answer.text", Quotes: []string{
				"Server Error401 - Unauthorized: Access is denied due to invalid credentials.",
				"You do not have permission to view this directory or page using the credentials that you supplied.",
			},
				Excluded: "the words of IIS, which differ with its version and language"},
			{ID: "2.answer.transport", Shows: []string{
				"Connection", "Content-Length", "Date", "Server", "X-MS-Server-Fqdn", "X-Powered-By",
				"X-Content-Type-Options", "Vary",
			},
				Excluded: "written by HTTP, IIS and ASP.NET, not by UCWA; the framing is checked by the HTTP client, and " +
					"create-application.5.headers.cache and set-presence.2.headers.* stand for the rest"},
			{ID: "3.request.prompt", Quotes: []string{
				"To use password authentication, you must provide a function that gets a user's credentials.",
				"This can take the form of HTML `<input>` tags, a JavaScript input dialog box, or other means of " +
					"getting input.",
			},
				Excluded: "happens between the client and its user, where no request shows it"},
			{ID: "3.request.headers", Shows: []string{
				"Accept", "X-Ms-Origin", "X-Requested-With", "Referer", "Accept-Language", "Accept-Encoding",
				"User-Agent", "Host", "Content-Length", "Connection", "Cache-Control",
			},
				Excluded: "every request of a browser has these; they are judged where the application is asked, by " +
					"set-presence.request.*"},
			{ID: "3.answer.scope", Shows: []string{"ms_rtc_identityscope"},
				Excluded: "no document says what it can be, nor what a client is to do about it"},
			{ID: "3.answer.brevity", Quotes: []string{"For the sake of brevity, the OAuth token is not shown in its entirety."},
				Excluded: "speaks of the printed sample"},
			{ID: "3.answer.transport", Shows: []string{
				"Connection", "Content-Length", "Date", "Server", "Pragma", "X-AspNet-Version",
				"X-MS-Server-Fqdn", "X-Powered-By", "X-Content-Type-Options",
			},
				Excluded: "written by HTTP, IIS and ASP.NET, not by UCWA; the framing is checked by the HTTP client, and " +
					"create-application.5.headers.cache and set-presence.2.headers.* stand for the rest"},
			{ID: "4.request.headers", Shows: []string{
				"Accept", "X-Ms-Origin", "X-Requested-With", "Referer", "Accept-Language", "Accept-Encoding",
				"User-Agent", "Host", "Connection",
			},
				Excluded: "every request of a browser has these; they are judged where the application is asked, by " +
					"set-presence.request.*"},
			{ID: "4.answer.transport", Shows: []string{
				"Connection", "Content-Length", "Expires", "Date", "Server", "Cache-Control", "Pragma",
				"X-AspNet-Version", "X-MS-Server-Fqdn", "X-Powered-By", "X-Content-Type-Options",
			},
				Excluded: "written by HTTP, IIS and ASP.NET, not by UCWA; the framing is checked by the HTTP client, and " +
					"create-application.5.headers.cache and set-presence.2.headers.* stand for the rest"},
			{ID: "5.request.why", Quotes: []string{
				"Now that you have user credentials, your request to access UCWA 2.0 as a user will be granted and " +
					"you will receive a resource with a single link to the applications resource.",
				"Why do you care about the applications resource?",
				"This is how you register your application with UCWA 2.0 as an agent of the user whose credentials " +
					"you obtained in a previous step.",
				"The 's' at the end of applications indicates that it represents a collection of individual " +
					"application resources.",
			},
				Excluded: "says what the resource is for; what it repeats of step 4 is judged there"},
			{ID: "5.request.headers", Shows: []string{
				"Accept", "Authorization", "X-Ms-Origin", "X-Requested-With", "Referer", "Accept-Language",
				"Accept-Encoding", "User-Agent", "Host", "Content-Length", "Connection", "Cache-Control",
			},
				Excluded: "every request of a browser has these; they are judged where the application is asked, by " +
					"set-presence.request.*"},
			{ID: "5.answer.me.links", Shows: []string{"me.makeMeAvailable", "me.callForwardingSettings", "me.phones", "me.photo"},
				Excluded: "judged in this answer too, or where the application is read again: set-presence.1.link.*, " +
					"set-presence.4.me.links.*"},
			{ID: "5.answer.transport", Shows: []string{
				"Connection", "Content-Length", "Date", "Server", "P3P", "X-AspNet-Version",
				"X-MS-Server-Fqdn", "X-Powered-By",
			},
				Excluded: "written by HTTP, IIS and ASP.NET, not by UCWA; the framing is checked by the HTTP client, and " +
					"create-application.5.headers.cache and set-presence.2.headers.* stand for the rest"},
			{ID: "next", Quotes: []string{
				"Next steps", "Congratulations!",
				"The response to the final POST contains your very own UCWA 2.0 application, which is the starting " +
					"point for every web application that works with UCWA 2.0.",
				"There are many things that you can do with your application.",
				"For some ideas, go to the UCWA 2.0 dashboard, and start communicating!",
			},
				Excluded: "leads on to other pages"},
		},
		Errata: []string{
			"The body of step 9 is no JSON: a comma follows Culture. No server need take that; clients send none.",
			"Set-Cookie of step 10 is broken over three lines, and names the application 104082042405, the " +
				"body 105. It is one line here; that the application is the new one is judged where it is read " +
				"again, by set-presence.4.cookie.path.",
			"Content-Length of step 5 is 63, the form has 66 bytes; in steps 2 and 8 it is 321 and 260, the " +
				"bodies as printed have 347 and 272. Lengths are true in traffic, and those of abridged samples " +
				"count for nothing.",
			"The form of step 5 writes @ as it is, and its charset in apostrophes: charset='utf-8'. Both are " +
				"taken as they stand; of the media type only the type counts.",
			"Step 4 says /WebTicket/oauthtoken, step 5 asks /webticket/oauthtoken. Paths have no case on IIS, " +
				"so they are compared without case.",
			"The href of MsRtcOAuth stands without quotes on the page about authentication; here and in every " +
				"capture it is quoted. Both are read.",
			"The user link says root/oauth/user, the user resource calls itself root/user. A self link is held " +
				"to lead to a URL, not to the one that was asked.",
			"The root is asked at lyncdiscover, and its self, user and xframe are on lyncweb, as in captures: " +
				"the self links of root and user resource may lead to any host, over https where the resource is. " +
				"That of the application is on the origin that created it.",
			"The page speaks of three links of the root. Where a root sends on to another, Root URL has " +
				"redirect in place of user.",
			"The page speaks of a single link of the user resource; its sample has three.",
			"The sample's endpointId is a GUID. The API reference asks for a string of at most 100 characters, " +
				"Multi-tab support sends 123, and servers take names: any such string will do.",
			"The pages about errors say that code alone is required, the tables of operations list subcodes: a " +
				"subcode is a should.",
		},
		Roles: signInRoles(),
		Steps: []step{
			{ID: "1", Title: "Ask Autodiscover for its root", role: partRoot, clauses: []clause{
				{Clause: Clause{ID: "1.answer.status", Quotes: []string{
					"Process the response from the previous request.",
					"The response from the previous GET request should be 200 OK.",
				}}, Checks: []Check{
					server("1.status", must, status(http.StatusOK),
						"Autodiscover answers the GET on its root with 200.",
						"A web server that was put in front and asks for a sign-in of its own."),
				}},
				{Clause: Clause{ID: "1.answer.body", Quotes: []string{
					"Each link is a key-value pair that consists of a name (\"rel\") and an object.",
					"The object is also a key-value pair in which the key is \"href\" and the value is the URL.",
				}, Shows: []string{"Content-Type"}}, Checks: []Check{
					server("1.json", must,
						all(resourceBody(), value("_links", satisfy("an object", isObject).but(asList))).unless(unsuccessful),
						"The root is a JSON object with links, and says so in its media type.",
						"A page for people at the address of the service."),
				}},
				{Clause: Clause{ID: "1.answer.links", Quotes: []string{
					"The body of the response contains three links.", "self (the current resource)",
					"user (the user on whose behalf you are logging in)",
					"xframe (the cross-domain frame used for web-based applications. )",
				}, Shows: []string{"_links.self", "_links.user", "_links.xframe"}}, Checks: []Check{
					server("1.link.user", must, leadsOn("user"),
						"The root has a user link, or a redirect link to another root; its href resolves to a URL, "+
							"of https where the root is.",
						"A reverse proxy that ends TLS and lets the service write http into links."),
					server("1.link.self", must, value("_links.self", leadOnSafely()),
						"The root has a self link; its href resolves to a URL, of https where the root is.",
						"A reverse proxy that ends TLS and lets the service write http into links."),
					server("1.link.xframe", should, value("_links.xframe", leadAnywhere()).unless(redirects),
						"The root has a link to the cross-domain frame, xframe, unless it only redirects.",
						"A deployment for native clients alone, from which browsers cannot sign in."),
				}},
				{Clause: Clause{ID: "1.request.order", Reference: "UCWA 2.0: Root URL (the autodiscovery flow always gives priority to the internal network)"}, Checks: []Check{
					client("1.order", should, tracing(
						"Where both addresses of a domain were asked, compare their order.", asksInternalFirst),
						"The client asks the internal address, lyncdiscoverinternal, before the external one, "+
							"lyncdiscover.",
						"A client that leaves the company's network to come back into it."),
				}},
				{Clause: Clause{ID: "1.request", Quotes: []string{"Send a GET request on the Autodiscovery URL."}}, Checks: []Check{
					client("1.no-token", must, tracing("Look for Authorization in every GET on a root.", asksBare),
						"The client asks the root without Authorization.",
						"A client library that adds its token to whatever it sends."),
				}},
			}},
			{ID: "2", Title: "Ask for the user resource without a token", role: partChallenge, clauses: []clause{
				{Clause: Clause{ID: "2.answer.status", Quotes: []string{
					"Process the response from the previous request.",
					"The response from the previous GET request should be 401 Unauthorized.",
					"This should be no surprise, as the user is not yet authenticated.",
				}}, Checks: []Check{
					server("2.status", must, status(http.StatusUnauthorized),
						"The user resource without a token is answered with 401.",
						"A front end that answers 403, or redirects to a page where people sign in."),
				}},
				{Clause: Clause{ID: "2.answer.challenge", Quotes: []string{
					"The header of the response contains a URL that can be used to get an OAuth token that is used " +
						"in all subsequent requests.",
				}, Shows: []string{"WWW-Authenticate"}}, Checks: []Check{
					server("2.challenge", must,
						header("WWW-Authenticate", challengeThat(`MsRtcOAuth href="https://…"`, namesIssuer)).
							unless(otherwise),
						"The 401 tells in WWW-Authenticate, under MsRtcOAuth, the absolute URL where tokens are to "+
							"be had, of https where the user resource is.",
						"A proxy that keeps only the first WWW-Authenticate, or replaces it."),
					server("2.grants", must,
						header("WWW-Authenticate", challengeThat("MsRtcOAuth with grant_type, a list with one of "+strings.Join(knownGrants, ", "), namesGrant)).unless(otherwise).
							unless((*check).issuer),
						"The challenge names at least one grant type that the documentation knows.",
						"A misspelt grant type, or an empty list."),
					server("2.bearer", should,
						header("WWW-Authenticate", challengeThat("Bearer with trusted_issuers and client_id", namesTrust)).
							unless(otherwise),
						"The 401 also has a Bearer challenge, with trusted_issuers and client_id.",
						"A proxy that keeps only one of the challenges."),
				}},
				{Clause: Clause{ID: "2.answer.html", Quotes: []string{
					"The response body contains an HTML document (not shown here) with the following text:",
				}, Shows: []string{"Content-Type"}}, Checks: []Check{
					server("2.html", may, tracing(
						"Where the 401 has a body, read it as Content-Type says: HTML begins with <, JSON is "+
							"an object.", fitsPage),
						"A 401 with a body has a page of HTML, or an error of UCWA, and says which in its media type.",
						"A framework that writes its page and leaves its default media type."),
				}},
				{Clause: Clause{ID: "2.request", Quotes: []string{
					"Send a GET request on the user URL, indicating that we want to authenticate as a user.",
					"The URL in this GET request comes from the response body of the previous GET request.",
				}}, Checks: []Check{
					client("2.no-token", should, tracing(
						"Look for a GET on the user link without Authorization before the token was asked for.", learnsIssuer),
						"The client asks for the user resource without a token first, and so learns where tokens "+
							"are to be had.",
						"A client with the address of the token endpoint written into it."),
				}},
				{Clause: Clause{ID: "2.request.referer", Quotes: []string{
					"The user href is used for the URL in the request, and the xframe href is used in the Referer " +
						"header of this request.",
				}, Shows: []string{"Referer"}}, Checks: []Check{
					client("2.referer", must, tracing(
						"Once a request on the user resource shows the client to be cross-domain (X-Ms-Origin, "+
							"or a Referer to the XFrame page), compare the Referer of each with the xframe links "+
							"served before it; the XFrame page on the host that is asked is one too.", asksFramed),
						"A cross-domain browser application asks for the user resource through the xframe that it "+
							"was served, as its Referer shows.",
						"A client that stays in the frame of lyncdiscover when the user link leads to the pool."),
				}},
			}},
			{ID: "3", Title: "Ask the token endpoint for a token", role: partToken, clauses: []clause{
				{Clause: Clause{ID: "3.request", Quotes: []string{"Send a POST request on the OAuth URL."}}, Checks: []Check{
					client("3.endpoint", must, tracing(
						"Compare the URL of each token request with the MsRtcOAuth hrefs of all answers before "+
							"it.", asksIssuer),
						"The client asks for a token at the href of a challenge that it was given.",
						"A client with the address of the token endpoint written into it."),
				}},
				{Clause: Clause{ID: "3.request.form", Quotes: []string{
					"The response shown here uses password authentication.",
					"To use Windows authentication, for example, place the following in the request body- " +
						"grant_type=urn:microsoft.rtc:windows.",
				}, Shows: []string{"Content-Type", "grant_type", "username", "password"}}, Checks: []Check{
					client("3.form", must,
						tracing("Look at method, Content-Type and body of every token request.", postsForm),
						"A token request is a POST of a form, application/x-www-form-urlencoded.",
						"A client that sends JSON."),
				}},
				{Clause: Clause{ID: "3.request.mechanisms", Quotes: []string{
					"UCWA 2.0 supports three authentication mechanisms:",
					"Windows authentication - allow the browser to launch a Windows prompt that gets user " +
						"credentials from the operating system.",
					"Anonymous meeting - allow an anonymous user to participate in an online meeting.",
					"Password authentication - collect the user's credentials in the code for your application.",
				}}, Checks: []Check{
					client("3.grant", must, tracing(
						"Compare grant_type with the list in the challenge whose href is asked.", usesOfferedGrant),
						"grant_type is one that the challenge offered.",
						"A client that knows password only, at a server that offers Windows sign-in only."),
				}},
				{Clause: Clause{ID: "3.request.form"}, Checks: []Check{
					client("3.fields", must,
						tracing("Look at the names in the form, by its grant_type.", fillsForm),
						"A token request has what its grant needs: username and password, or password and "+
							"ms_rtc_conferenceuri, or neither.",
						"A meeting key without the meeting's URI."),
					client("3.query", must,
						look(place{name: "request URL.query", get: query}, beAbsent()).
							of("the requests for a token", (*check).tokenRequests),
						"A token request has nothing of its form in its URL.",
						"A client library that writes a form without a body into the URL, where every log keeps "+
							"the password."),
				}},
				{Clause: Clause{ID: "3.answer.status", Quotes: []string{
					"Process the response from the previous request.",
					"The response from the previous POST request should be 200 OK.",
				}}, Checks: []Check{
					server("3.status", must, status(http.StatusOK).unless((*check).signedInBy),
						"A token request with good credentials is answered with 200.",
						"201, or a redirect to where the client came from."),
				}},
				{Clause: Clause{ID: "3.answer.token", Quotes: []string{
					"The body of the response contains the OAuth token that must be used in all subsequent requests.",
				}, Shows: []string{"Content-Type", "access_token", "expires_in", "token_type"}}, Checks: []Check{
					server("3.json", must, resourceBody().unless(unsuccessful).unless(withheld("")),
						"The token comes in a JSON object, which says so in its media type.",
						"A token as bare text, or a form."),
					server("3.access_token", must,
						value("access_token", stringThat("a token that begins with cwt=", isToken)).
							unless(withheld("access_token")),
						"access_token is a string that begins with cwt=.",
						"A token of another kind, such as a JWT, that the pool does not take."),
					server("3.token_type", must,
						value("token_type", stringThat("Bearer", isBearer)).unless(withheld("token_type")),
						"token_type is Bearer, in any casing.",
						"A type taken from another protocol, such as MAC."),
					server("3.expires_in", must,
						value("expires_in", satisfy("a number of seconds above 0", isLifetime).but(sample{"zero", "is 0", 0}, asText)).
							unless(withheld("expires_in")),
						"expires_in is a number of seconds above zero.",
						"A time of day in place of a duration."),
				}},
				{Clause: Clause{ID: "3.answer.cache", Shows: []string{"Cache-Control"}}, Checks: []Check{
					server("3.cache", must,
						header("Cache-Control", stringThat("no-store", isNoStore).but(sample{"private", "is private", "private"})).unless(unsuccessful),
						"The answer with the token must not be stored: Cache-Control has no-store.",
						"A proxy that adds its own caching rules."),
				}},
			}},
			{ID: "4", Title: "Ask for the user resource with the token", role: partUser, clauses: []clause{
				{Clause: Clause{ID: "5h", Reference: "UCWA 2.0, authentication in Skype for Business: a token is good for one host"}, Checks: []Check{
					client("4.token-host", must, tracing(
						"Compare the host of every request that carries a token with the host of the answer "+
							"that contained it.", keepsTokenAtHost),
						"A token is sent only to the host that issued it.",
						"A client that takes the token of Autodiscover along to the pool."),
				}},
				{Clause: Clause{ID: "4.request", Quotes: []string{
					"Send another GET request on the user resource, passing the OAuth token in the Authorization " +
						"header of the request.",
					"The previous GET request on the user resource resulted in a response code of 401 Not " +
						"Authorized, because the request was made without an OAuth token.",
				}, Shows: []string{"Authorization"}}, Checks: []Check{
					client("4.authorization", must, tracing(
						"Look at Authorization of the GET on user and of the POST on applications.", sendsTokenTo),
						"The client sends the token as Authorization, with the scheme Bearer.",
						"A client that forgets the space, or sends the token in a cookie."),
				}},
				{Clause: Clause{ID: "4.answer.status", Quotes: []string{
					"Process the response from the previous GET request.", "A successful response is 200 OK.",
				}}, Checks: []Check{
					server("4.status", must, status(http.StatusOK),
						"The user resource is answered with 200 once the token is there.",
						"A front end that strips Authorization."),
				}},
				{Clause: Clause{ID: "4.answer.body", Shows: []string{"Content-Type"}}, Checks: []Check{
					server("4.json", must,
						all(resourceBody(), value("_links", satisfy("an object", isObject).but(asList))).unless(unsuccessful),
						"The user resource is a JSON object with links, and says so in its media type.",
						"A page for people."),
				}},
				{Clause: Clause{ID: "4.answer.links", Quotes: []string{
					"The response body contains a link to the applications resource, which is used in the next step.",
				}, Shows: []string{"_links.self", "_links.applications", "_links.xframe"}}, Checks: []Check{
					server("4.link.applications", must, leadsOn("applications"),
						"The user resource has an applications link, or a redirect link; its href resolves to a "+
							"URL, of https where the user resource is.",
						"A user who is not enabled, answered as if he were."),
					server("4.link.self", must, value("_links.self", leadOnSafely()),
						"The user resource has a self link; its href resolves to a URL, of https where the user "+
							"resource is.",
						"A link with an empty href, written before the server knows its own name."),
					server("4.link.xframe", should, value("_links.xframe", leadAnywhere()).unless(redirects),
						"The user resource has a link to the cross-domain frame, xframe, unless it only redirects.",
						"A deployment for native clients alone."),
				}},
			}},
			{ID: "5", Title: "Send a POST request on the applications resource", role: partCreate, clauses: []clause{
				{Clause: Clause{ID: "5.request", Quotes: []string{
					"Send a POST request on the applications resource.",
					"In UCWA 2.0, the convention to create or add an item to a collection is to perform a POST " +
						"request on the collection.",
				}}, Checks: []Check{
					client("5.link", must, tracing(
						"Compare the URL of the POST with the applications links of all answers before it.", followsApplications),
						"The client creates the application by a POST on the applications link that it was served.",
						"A client that builds /ucwa/oauth/v1/applications for a host that it knows."),
				}},
				{Clause: Clause{ID: "5.request.body", Quotes: []string{
					"To do that, we look at the reference documentation for the applications resource and see that " +
						"it takes three input parameters, which are shown in the body of the following request.",
				}, Shows: []string{"Content-Type", "UserAgent", "EndpointId", "Culture"}, Reference: "UCWA 2.0 API reference: applications (strings of at most 100 characters)"}, Checks: []Check{
					client("5.content-type", must,
						requestHeader("Content-Type", stringThat("a media type of UCWA, such as application/json", isMedia)).
							of("the requests that create an application", (*check).creations),
						"The POST on applications says that its body is JSON, or XML of UCWA.",
						"An HTTP library that sends a form by default."),
					client("5.body.json", must,
						look(place{name: "request body", get: answer.RequestDocument}, beObject()).
							of("the requests that create an application", (*check).creations),
						"The body of the POST is a JSON object.",
						"A form."),
					client("5.body.userAgent", must, created("userAgent"),
						"The body names the client in userAgent, in 1 to 100 characters.",
						"A client that leaves the name to the HTTP field, or puts all of that field here."),
					client("5.body.endpointId", must, created("endpointId"),
						"The body has an endpointId of 1 to 100 characters.",
						"A number in place of a string, or a token of the platform that is too long."),
					client("5.body.culture", must, created("culture"),
						"The body has a culture that is a language tag of at most 100 characters.",
						"A locale with an underscore."),
				}},
				{Clause: Clause{ID: "5.answer.status", Quotes: []string{
					"Process the response from the previous request.",
					"The response from the previous POST request should be 201 Created, which indicates that your " +
						"application is now registered with the UCWA 2.0 server.",
				}}, Checks: []Check{
					server("5.status", must, look(place{name: atStatus, get: answer.Status, put: putStatus}, wants(newOrThere)),
						"The POST on applications is answered with 201.",
						"200, or 202 since it works on."),
				}},
				{Clause: Clause{ID: "5.answer.application", Quotes: []string{
					"The body of the response contains the application resource, which contains basic information " +
						"about the application, links to related resources such as the batch and events resources, and " +
						"four resources that are so useful that they are embedded in the application resource - me, " +
						"people, onlineMeetings, and communication.",
				}, Shows: []string{"Content-Type", "culture", "userAgent", "rel"}}, Checks: []Check{
					server("5.json", must, resourceBody().unless(unsuccessful),
						"The answer is the application, a JSON object, and says so in its media type.",
						"An empty 201 with a Location."),
					server("5.rel", must, value("rel", beOneOf("application")),
						"The answer calls itself application in rel.",
						"The name of the collection, applications."),
				}},
				{Clause: Clause{ID: "5.answer.links", Quotes: []string{
					"The body of the response contains the application resource, which contains basic information " +
						"about the application, links to related resources such as the batch and events resources, and " +
						"four resources that are so useful that they are embedded in the application resource - me, " +
						"people, onlineMeetings, and communication.",
				}, Shows: []string{"_links.self", "_links.policies", "_links.batch", "_links.events"}}, Checks: []Check{
					server("5.link.self", must, value("_links.self", leadSomewhere()),
						"The application has a self link on the origin of the applications resource.",
						"The internal name of a front end."),
					server("5.link.policies", must, value("_links.policies", leadSomewhere()),
						"The application has a policies link on its own origin.",
						"A server that links to what it thinks worth a link."),
					server("5.link.batch", must, value("_links.batch", leadSomewhere()),
						"The application has a batch link on its own origin.",
						"A deployment whose reverse proxy does not pass batches on."),
					server("5.link.events", must, value("_links.events", leadSomewhere()),
						"The application has an events link on its own origin.",
						"An application whose event channel is made later."),
					server("5.link.events-ack", must, value("_links.events", withAck()),
						"The events link of a new application carries ack, a whole number.",
						"A link without its query, from which no client knows where the channel begins."),
				}},
				{Clause: Clause{ID: "5.answer.embedded", Quotes: []string{
					"The body of the response contains the application resource, which contains basic information " +
						"about the application, links to related resources such as the batch and events resources, and " +
						"four resources that are so useful that they are embedded in the application resource - me, " +
						"people, onlineMeetings, and communication.",
				}, Shows: []string{
					"_embedded.me", "_embedded.people", "people.self", "people.rel",
					"_embedded.onlineMeetings", "onlineMeetings.self", "onlineMeetings.rel",
					"_embedded.communication", "communication.self", "communication.rel",
				}}, Checks: []Check{
					server("5.embedded.me", must, value("_embedded.me", beObject()),
						"The application embeds me.",
						"A link in place of the embedded resource."),
					server("5.embedded.people", must, embeds("people"),
						"The application embeds people, which has its rel and a self link on its own origin.",
						"A link in place of the embedded resource."),
					server("5.embedded.onlineMeetings", must, embeds("onlineMeetings"),
						"The application embeds onlineMeetings, which has its rel and a self link on its own origin.",
						"A link in place of the embedded resource."),
					server("5.embedded.communication", must, embeds("communication"),
						"The application embeds communication, which has its rel and a self link on its own origin.",
						"A link in place of the embedded resource."),
				}},
				{Clause: Clause{ID: "5.answer.me", Shows: []string{"me.name", "me.uri", "me.self", "me.rel"}}, Checks: []Check{
					server("5.me.rel", must, value("_embedded.me.rel", beOneOf("me")),
						"The rel of the embedded me is me.",
						"A serializer that leaves rel to the outermost resource."),
					server("5.me.self", must, related("me", "self"),
						"The embedded me has a self link on the origin of the application.",
						"A resource that has a link only once it is asked by itself."),
					server("5.me.name", must, value("_embedded.me.name", beText()),
						"The embedded me tells the name of the user.",
						"A directory without display names."),
					server("5.me.uri", must,
						value("_embedded.me.uri", stringThat("a SIP URI, sip:user@domain", sipURI.MatchString)),
						"The embedded me tells the SIP URI of the user.",
						"A bare address, or the principal name."),
				}},
				{Clause: Clause{ID: "5.answer.people", Shows: []string{
					"people.presenceSubscriptions", "people.subscribedContacts",
					"people.presenceSubscriptionMemberships", "people.myGroups", "people.myGroupMemberships",
					"people.myContacts", "people.myPrivacyRelationships",
					"people.myContactsAndGroupsSubscription", "people.search",
				}}, Checks: []Check{
					server("5.people.links", must,
						related("people", "presenceSubscriptions", "subscribedContacts", "presenceSubscriptionMemberships", "myGroups", "myContacts", "search"),
						"The embedded people links to presenceSubscriptions, subscribedContacts, "+
							"presenceSubscriptionMemberships, myGroups, myContacts and search.",
						"A list of links that is made when the contact list is there, which may be later."),
					server("5.people.more", should,
						related("people", "myGroupMemberships", "myPrivacyRelationships", "myContactsAndGroupsSubscription"),
						"The embedded people links to myGroupMemberships, myPrivacyRelationships and "+
							"myContactsAndGroupsSubscription.",
						"A server of before UCWA 2.0, whose clients could not write to the contact list."),
				}},
				{Clause: Clause{ID: "5.answer.onlineMeetings", Shows: []string{
					"onlineMeetings.myOnlineMeetings", "onlineMeetings.onlineMeetingDefaultValues",
					"onlineMeetings.onlineMeetingEligibleValues",
					"onlineMeetings.onlineMeetingInvitationCustomization",
					"onlineMeetings.onlineMeetingPolicies", "onlineMeetings.phoneDialInInformation",
					"onlineMeetings.myAssignedOnlineMeeting",
				}}, Checks: []Check{
					server("5.onlineMeetings.links", must,
						related("onlineMeetings", "myOnlineMeetings", "onlineMeetingDefaultValues", "onlineMeetingEligibleValues", "onlineMeetingPolicies"),
						"The embedded onlineMeetings links to myOnlineMeetings, onlineMeetingDefaultValues, "+
							"onlineMeetingEligibleValues and onlineMeetingPolicies.",
						"A user who may plan no meetings, shown an empty resource."),
					server("5.onlineMeetings.more", should,
						related("onlineMeetings", "onlineMeetingInvitationCustomization", "phoneDialInInformation"),
						"The embedded onlineMeetings links to onlineMeetingInvitationCustomization and "+
							"phoneDialInInformation.",
						"A deployment without dial-in, which leaves the link out."),
					server("5.onlineMeetings.assigned", may,
						related("onlineMeetings", "myAssignedOnlineMeeting").ifSent(),
						"The link myAssignedOnlineMeeting of the embedded onlineMeetings, if there is one, "+
							"resolves on the origin of the application.",
						"A reverse proxy that writes its internal host name into links."),
				}},
				{Clause: Clause{ID: "5.answer.communication", Shows: []string{
					"communication.4d221db7-4af0-476b-9443-8bc874283085", "communication.supportedModalities",
					"communication.supportedMessageFormats", "communication.etag",
					"communication.conversations", "communication.startMessaging",
					"communication.startOnlineMeeting", "communication.joinOnlineMeeting",
				}}, Checks: []Check{
					server("5.communication.links", must, related("communication", "conversations"),
						"The embedded communication links to conversations.",
						"Links that come with makeMeAvailable only."),
					server("5.communication.start", should,
						related("communication", "startMessaging", "startOnlineMeeting", "joinOnlineMeeting"),
						"The embedded communication links to startMessaging, startOnlineMeeting and "+
							"joinOnlineMeeting, before makeMeAvailable too.",
						"Links that come with makeMeAvailable only."),
					server("5.communication.modalities", must,
						value("_embedded.communication.supportedModalities", satisfy("a list", isList).but(asText)).
							after(accountOnly),
						"The supportedModalities of the embedded communication are a list.",
						"null in place of an empty list."),
					server("5.communication.formats", should,
						value("_embedded.communication.supportedMessageFormats", satisfy("a list with Plain", hasPlain).but(asList, asText)).
							after(accountOnly),
						"The supportedMessageFormats of the embedded communication are a list with Plain.",
						"An empty list until makeMeAvailable names formats."),
					server("5.communication.put", should,
						value("_embedded.communication", satisfy("an object with a property of the value please pass this in a PUT request", hasPutProperty)).
							after(accountOnly),
						"The embedded communication has the property whose value says to pass it in a PUT request.",
						"A proxy or gateway that knows the properties of the API reference, and drops all others."),
					server("5.communication.etag", must,
						value("_embedded.communication.etag", stringThat("a string of decimal digits", decimal.MatchString)).
							after(accountOnly),
						"The etag of the embedded communication is a string of decimal digits.",
						"A number, or the quotes of the HTTP field."),
				}},
				{Clause: Clause{ID: "5.answer.cookie", Shows: []string{"Set-Cookie"}}, Checks: []Check{
					server("5.cookie.secure", must, cookie(partCreate, secureCookie),
						"The cookie cwt_ucwa that comes with a new application, if sent, is Secure.",
						"A load balancer that ends TLS and takes Secure off."),
					server("5.cookie.httpOnly", must, cookie(partCreate, httpOnlyCookie),
						"The cookie cwt_ucwa that comes with a new application, if sent, is HttpOnly.",
						"A proxy that writes cookies anew."),
					server("5.cookie.path", must, cookie(partCreate, photoCookie),
						"The path of the cookie cwt_ucwa, if sent, is that of an application's photos; it has no "+
							"Domain.",
						"The path of the whole application, or of the whole site."),
				}},
				{Clause: Clause{ID: "5.answer.headers", Shows: []string{"Cache-Control"}}, Checks: []Check{
					server("5.headers.cache", should, noCaching(),
						"The answer with a new application forbids caching.",
						"A reverse proxy with a caching policy of its own."),
				}},
				{Clause: Clause{ID: "5.answer.application"}, Checks: []Check{
					server("5.culture", must, value("culture", asAsked("culture")).but(being("de-DE"), isNull),
						"The application repeats the culture of the request.",
						"The culture of the server."),
					server("5.userAgent", must, value("userAgent", asAsked("userAgent")).but(being("Mozilla/5.0"), isNull),
						"The application repeats the userAgent of the request.",
						"The HTTP field of the same name."),
				}},
				{Clause: Clause{ID: "5again", Reference: "UCWA 2.0: Multi-tab support (200 where the application exists)"}, Checks: []Check{
					server("5.again", must,
						tracing("POST once more with the same endpointId and compare the self links.", findsAgain),
						"The same endpointId again is answered with 200 or 201 and the same application.",
						"A second application of one endpoint, which leaves the first without an event channel."),
				}},
			}},
			{ID: "6", Title: "End the application", role: partEnd, clauses: []clause{
				{Clause: Clause{ID: "6", Reference: "UCWA 2.0 API reference: application, DELETE"}, Checks: []Check{
					server("6.status", must, status(http.StatusNoContent),
						"The DELETE on the application is answered with 204.",
						"200 with a body."),
					server("6.body", must, noContent().unless(unsuccessful),
						"The 204 has no content.",
						"A framework that writes null."),
				}},
			}},
			{ID: "refusal", Title: "What the server must refuse", clauses: []clause{
				{Clause: Clause{ID: "3f", Reference: "UCWA 2.0, authentication in Skype for Business: errors of the token endpoint"}, Checks: []Check{
					server("refusal.grant-unsupported", must, tokenRefused("grant-unsupported", "unsupported_grant_type",
						"POST grant_type=urn:microsoft.rtc:conform and look at status and error."),
						"An unknown grant type is refused with 400 and the error unsupported_grant_type.",
						"invalid_request for everything, or 500."),
					server("refusal.grant-missing", must, tokenRefused("grant-missing", "invalid_request",
						"POST a form without grant_type and look at status and error."),
						"A token request without grant_type is refused with 400 and the error invalid_request.",
						"A default grant."),
					server("refusal.grant-invalid", must, tokenRefused("grant-invalid", "invalid_grant",
						"POST grant_type=password for a user who does not exist, where that grant is offered: no "+
							"account can be locked by it."),
						"Credentials that are wrong are refused with 400 and the error invalid_grant.",
						"401, which makes browsers ask for a password of their own."),
					server("refusal.diagnostics", should,
						header("X-Ms-Diagnostics", stringThat(`NNNNN;source="…";reason="…"`, isDiagnosis).but(being("28020"))).
							of("the refused requests for a token", (*check).refusedGrants, "grant-unsupported", "grant-missing", "grant-invalid"),
						"A refused token request says why in X-Ms-diagnostics, a code with source and reason.",
						"A proxy that drops fields it does not know."),
				}},
				{Clause: Clause{ID: "5f", Reference: "UCWA 2.0 API reference: application; Web links and errors"}, Checks: []Check{
					server("refusal.no-token", must, all(status(http.StatusUnauthorized), header("WWW-Authenticate", challengeThat(tokenChallenge, isTokenChallenge))).plays(partCreateNoToken).asked(
						"POST on the applications link without Authorization and look at status and "+
							"WWW-Authenticate."),
						"A POST on applications without a token is refused with 401 and a challenge with MsRtcOAuth.",
						"403, from which no client learns where tokens are to be had."),
					server("refusal.bad-token", must, status(http.StatusUnauthorized).plays(partCreateBadToken).asked(
						"POST on the applications link with such a token and look at the status."),
						"A POST on applications with a token that was never issued is refused with 401.",
						"500, as if the server were at fault."),
				}},
				{Clause: Clause{ID: "5h"}, Checks: []Check{
					server("refusal.token-elsewhere", must, status(http.StatusForbidden, http.StatusInternalServerError).plays(partElsewhere).after(twoHosts).asked(
						"Where Autodiscover and pool are two hosts: POST on the pool's applications link with "+
							"the token of Autodiscover."),
						"A token of another host is refused with 403, or with 500 and HTML.",
						"A pool that takes the token of any of its neighbours."),
				}},
			}},
		},
	}
}

func asksInternalFirst(c *check) {
	if len(c.sent(relRoot)) == 0 {
		c.missing(partRoot)
	}
	var asked []string
	var external answer
	for _, x := range c.Exchanges {
		if !x.is(relRoot) || x.Probe != "" {
			continue // one that got no answer was asked all the same
		}
		a := answer{x, c}
		kind, _, _ := strings.Cut(strings.ToLower(a.url.Host), ".")
		if kind == "lyncdiscover" || kind == "lyncdiscoverinternal" {
			asked = append(asked, kind)
		}
		if kind == "lyncdiscover" && external.Exchange == nil {
			external = a
		}
	}
	if external.Exchange == nil || !slices.Contains(asked, "lyncdiscoverinternal") {
		c.notApplicable("the client did not ask both the internal and the external address")
	}
	c.Expect(external.field("request order", "after "+asked[0], true)).To(beOneOf("after lyncdiscoverinternal"))

}

func asksBare(c *check) {
	judged := false
	for _, a := range c.sent(relRoot) {
		judged = true
		c.Expect(a.RequestHeader("Authorization")).To(matcher{expected: "no token", matches: func(f Field) bool {
			return !bearer.MatchString(f.observed()) // what a recorder put in its place is none
		}})
	}
	if !judged {
		c.missing(partRoot)
	}

}

func fitsPage(c *check) {
	a := c.all(partChallenge)[0]
	otherwise(c, a)
	media := a.Header("Content-Type")
	if a.Body().Absent || media.Absent {
		c.notApplicable(fmt.Sprintf("not sent: a body with its media type in exchange %d", a.ID))
	}
	expected, fits := "text/html, or JSON with an error of UCWA in the body", isJSONMedia
	if strings.HasPrefix(strings.TrimLeft(a.Response.Body, "\ufeff \t\r\n"), "<") {
		expected, fits = "text/html, for the page in the body", func(s string) bool { return isHTMLMedia(s) || isXMLMedia(s) }
	} else if _, err := a.object(); err != nil {
		fits = func(string) bool { return false }
	}
	c.Expect(media).To(stringThat(expected, fits))

}

func learnsIssuer(c *check) {
	request := c.tokenRequests()[0]
	learnt := "without a challenge before it"
	for _, x := range c.Exchanges {
		// Whatever is asked without a token tells where to get one: applications too.
		if x.ID < request.ID && (x.Part == partChallenge || issuerOf(x) != nil) {
			learnt = "after a challenge"
		}
	}
	unordered := slices.ContainsFunc(c.parts[partChallenge], func(x *Exchange) bool { return x.ID > request.ID && !c.isAfter(x, request.Exchange) })
	if unordered || len(c.parts[partChallenge]) == 0 && !c.Driven && c.mayHaveMissed(request) {
		c.notExercised("the evidence does not show whole what came before the request for a token")
	}
	c.Expect(request.field("request order", learnt, true)).To(beOneOf("after a challenge"))

}

func asksFramed(c *check) {
	requests := slices.DeleteFunc(c.sent(relUser), func(r answer) bool { return byItself(r.Exchange) })
	if len(requests) == 0 {
		c.missing(partChallenge)
	}
	if !slices.ContainsFunc(requests, isCrossDomain) {
		c.notApplicable("the client is no cross-domain browser application: it asks for the user resource without X-Ms-Origin and the XFrame page as Referer")
	}
	for _, r := range requests {
		c.Expect(r.RequestHeader("Referer")).To(stringThat("an xframe link that was served before, or the XFrame page on "+ucwa.Origin(r.url), func(s string) bool {
			u, err := url.Parse(s)
			return err == nil && (isFrame(u) && ucwa.Origin(u) == ucwa.Origin(r.url) || c.framedBefore(u, r))
		}))
	}

}

func asksIssuer(c *check) {
	judged := false
	var lost *Exchange
	for _, r := range c.tokenRequests() {
		var hrefs []string
		for _, challenge := range c.index.challenges {
			if href := challenge.url.String(); challenge.by < r.ID && !slices.Contains(hrefs, href) {
				hrefs = append(hrefs, href)
			}
		}
		if c.index.refused == 0 || c.index.refused > r.ID || len(hrefs) == 0 {
			continue // evidence that begins in the middle, or no challenge that says where
		}
		if lost = cmp.Or(lost, c.challengeLostBefore(r)); lost != nil && !c.challenged(r) {
			continue
		}
		judged = true
		c.Expect(r.URL()).To(matcher{expected: "the href of a challenge before it: " + strings.Join(hrefs, " or "), matches: func(Field) bool {
			return slices.ContainsFunc(hrefs, func(href string) bool {
				u, err := url.Parse(href)
				return err == nil && linkKey(u) == linkKey(r.url)
			})
		}})
	}
	if !judged && lost != nil {
		c.unseen(lost)
	}
	if !judged {
		c.notExercised("the evidence shows no challenge before the token is asked for")
	}

}

func postsForm(c *check) {
	for _, r := range c.tokenRequests() {
		c.Expect(r.field("request method", r.Request.Method, true)).To(beOneOf(http.MethodPost))
		c.Expect(r.RequestHeader("Content-Type")).To(stringThat("application/x-www-form-urlencoded", func(s string) bool {
			media, _, _ := strings.Cut(s, ";")
			return strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
		}))
	}

}

func usesOfferedGrant(c *check) {
	judged, takenOut := false, false
	for _, r := range c.tokenRequests() {
		var offered []string
		for _, challenge := range c.index.challenges {
			if challenge.by < r.ID && linkKey(challenge.url) == linkKey(r.url) {
				for _, grant := range challenge.grants {
					if !slices.Contains(offered, grant) {
						offered = append(offered, grant)
					}
				}
			}
		}
		if len(offered) == 0 {
			continue
		}
		if _, out := c.grantOf(r.Exchange); out {
			takenOut = true
			continue
		}
		judged = true
		form := r.formOrBlocked()
		c.Expect(r.formField(form, "grant_type")).To(stringThat("one of those offered: "+strings.Join(offered, ", "), func(s string) bool {
			return slices.ContainsFunc(offered, func(g string) bool { return strings.EqualFold(g, s) })
		}))
	}
	if !judged && takenOut {
		c.notExercised(takenOutReason)
	}
	if !judged {
		c.notExercised("the evidence shows no challenge with grant types before the token is asked for")
	}

}

func fillsForm(c *check) {
	judged, takenOut := false, false
	for _, r := range c.tokenRequests() {
		grant, out := c.grantOf(r.Exchange)
		if takenOut = takenOut || out; out {
			continue
		}
		form := r.formOrBlocked()
		for _, name := range map[string][]string{
			ucwa.GrantPassword:    {"username", "password"},
			ucwa.GrantAnonMeeting: {"password", "ms_rtc_conferenceuri"},
		}[grant] {
			if form.Has("ms_rtc_renew") {
				continue
			}
			if !c.Driven && r.succeeded() && form.Get(name) == "" {
				takenOut = true
				continue
			}
			judged = true
			c.Expect(r.formField(form, name)).To(beText())
		}
	}
	if !judged && takenOut {
		c.notExercised(takenOutReason)
	}
	if !judged {
		c.notApplicable("no grant that was used takes fields of its own")
	}

}

func keepsTokenAtHost(c *check) {
	judged, masked, placeholders := false, false, c.placeholders()
	for _, x := range c.Exchanges {
		token := bearerOf(x.Exchange)
		origin := c.issuedAt(token)
		if x.Probe != "" || x.Response.Code == 0 || origin == "" {
			continue
		}
		if placeholders[token] {
			masked = true
			continue
		}
		judged = true
		a := answer{x, c}
		c.Expect(a.field("request URL", ucwa.Origin(x.url), true)).To(beOneOf(origin))
	}
	if !judged && masked {
		c.notExercised(placeholderReason)
	}
	if !judged {
		c.missing(partUser)
	}

}

func sendsTokenTo(c *check) {
	var list []answer
	for _, r := range slices.Concat(c.sent(relUser), c.creations()) {
		if r.Request.Method == http.MethodPost || !r.RequestHeader("Authorization").Absent || r.hasLinks() {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		c.missing(partUser)
	}
	if masked(list) {
		c.notExercised("no request has a token, yet the server served them: it was taken out of this evidence")
	}
	for _, a := range list {
		c.Expect(a.RequestHeader("Authorization")).To(stringThat("Bearer cwt=…", bearer.MatchString))
	}

}

func followsApplications(c *check) {
	judged := false
	var lost *Exchange
	for _, r := range c.creations() {
		if len(c.parts[partUser]) == 0 {
			continue // evidence that begins in the middle
		}
		served := slices.ContainsFunc(c.served[linkKey(r.url)], func(s serving) bool { return s.rel == "applications" && c.Exchanges[s.by].ID < r.ID })
		if x := c.mayHaveServed(r.Exchange); x != nil && !served {
			lost = x
			continue
		}
		judged = true
		c.Expect(r.URL()).To(matcher{expected: "the URL of the applications link that was served before", matches: func(Field) bool { return served }})
	}
	if !judged && lost != nil {
		c.unseen(lost)
	}
	if !judged {
		c.notExercised("the evidence shows no user resource before the POST on applications")
	}

}

func findsAgain(c *check) {
	for _, a := range c.all(partAgain) {
		c.Expect(a.Status()).To(beOneOf(http.StatusOK, http.StatusCreated))
		first := c.all(partCreate)[0]
		self, err := resolveLink(first.JSON("_links", "self").Value, first.url)
		if err != nil {
			c.blocked("create-application.5.link.self", first.Exchange)
		}
		c.Expect(a.JSON("_links", "self")).To(matcher{expected: "a link to " + self.String(), matches: func(f Field) bool {
			u, err := resolveLink(f.Value, a.url)
			return err == nil && linkKey(u) == linkKey(self)
		}})
	}

}

// leadsOn is the link by which a resource leads on, or redirects in its place.
func leadsOn(rel string) fields {
	p := memberPlace("_links." + rel)
	p.get = func(a answer) Field {
		link := a.JSON("_links", rel)
		if link.Absent {
			if redirect := a.JSON("_links", "redirect"); !redirect.Absent {
				return redirect
			}
		}
		return link
	}
	return look(p, leadOnSafely())
}

// redirects ends a check on a resource that only leads elsewhere.
func redirects(c *check, a answer) {
	if !a.JSON("_links", "redirect").Absent {
		c.notApplicable("the resource redirects")
	}
}

// The challenges that say where tokens are to be had, how, and who else is trusted.
func namesIssuer(ch ucwa.Challenge, asked *url.URL) bool {
	href, err := url.Parse(ch.Params["href"])
	return strings.EqualFold(ch.Scheme, "MsRtcOAuth") && err == nil && safely(href, asked)
}

func namesGrant(ch ucwa.Challenge, _ *url.URL) bool {
	return strings.EqualFold(ch.Scheme, "MsRtcOAuth") && slices.ContainsFunc(grantList(ch.Params["grant_type"]), func(g string) bool {
		return slices.ContainsFunc(knownGrants, func(k string) bool { return strings.EqualFold(g, k) })
	})
}

func namesTrust(ch ucwa.Challenge, _ *url.URL) bool {
	_, trusted := ch.Params["trusted_issuers"]
	return strings.EqualFold(ch.Scheme, "Bearer") && trusted && ch.Params["client_id"] != ""
}

// withheld ends a check on an answer whose token was taken out of the evidence.
func withheld(member string) func(*check, answer) {
	return func(c *check, a answer) { c.withheldFrom(a, member) }
}

func query(a answer) Field { return a.field("request URL.query", a.url.RawQuery, a.url.RawQuery != "") }

func isBearer(s string) bool { return strings.EqualFold(s, "Bearer") }

func isNoStore(s string) bool {
	return slices.ContainsFunc(strings.Split(s, ","), func(d string) bool { return strings.EqualFold(strings.TrimSpace(d), "no-store") })
}

func isMedia(s string) bool { return s != "" && isJSONMedia(s) || isXMLMedia(s) }

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }
func isList(v any) bool   { _, ok := v.([]any); return ok }

func hasPlain(v any) bool {
	list, _ := v.([]any)
	return slices.Contains(list, any("Plain"))
}

func hasPutProperty(v any) bool {
	object, _ := v.(map[string]any)
	return slices.ContainsFunc(slices.Collect(maps.Values(object)), func(v any) bool {
		text, _ := v.(string)
		return strings.HasSuffix(text, "in a PUT request") // of the rest, whoever hides names may take a word for one
	})
}

func isDiagnosis(s string) bool {
	d := ucwa.ParseDiagnostics(s)
	return d.Code != "" && d.Source != "" && d.Reason != ""
}

// created is a property by which a client says of itself what it is.
func created(name string) fields {
	i := slices.IndexFunc(creation, func(p property) bool { return p.name == name })
	return look(place{name: "request body." + name, get: func(r answer) Field {
		object, err := r.requestObject()
		if err != nil && (r.check.Driven || !r.bodyLost()) {
			r.check.blocked("create-application.5.body.json", r.Exchange)
		}
		value, ok := member(object, name)
		return r.field("request body."+name, value, ok)
	}}, stringThat(creation[i].expected, creation[i].form)).of("the requests that create an application", (*check).creations)
}

// newOrThere is the status of an application that is created, or in the traffic of others was there.
func newOrThere(_ *check, a answer) matcher {
	if a.wasThere() {
		return beOneOf(http.StatusCreated, http.StatusOK)
	}
	return beOneOf(http.StatusCreated)
}

// accountOnly ends a check on what only users with an account are shown.
func accountOnly(c *check) {
	c.all(partCreate)
	if c.signedInWith(ucwa.GrantAnonMeeting) {
		c.notApplicable("the user is a guest in a meeting")
	}
}

// embeds is a resource that a new application embeds.
func embeds(rel string) fields {
	at := "_embedded." + rel
	return all(value(at, beObject()), value(at+".rel", beOneOf(rel)), value(at+"._links.self", leadSomewhere())).after(accountOnly)
}

// related are links of an embedded resource, or those to itself of what stands there whole in their place.
func related(rel string, names ...string) fields {
	var f fields
	for _, name := range names {
		p := memberPlace("_embedded." + rel + "._links." + name)
		p.get = func(a answer) Field {
			if whole := a.JSON("_embedded", rel, "_embedded", name, "_links", "self"); !whole.Absent {
				return whole
			}
			return a.JSON("_embedded", rel, "_links", name)
		}
		f.list = append(f.list, look(p, leadSomewhere()).list...)
	}
	if rel != "me" {
		f = f.after(accountOnly)
	}
	return f
}

// tokenRefused is the answer to a request for a token that must be refused.
func tokenRefused(part, code, how string) fields {
	return all(status(http.StatusBadRequest), errorMember("error", beOneOf(code)),
		asJSON()).plays(part).asked(how).after(func(c *check) {
		if len(c.parts[part]) == 0 && part == "grant-invalid" && c.offersNoPassword() {
			c.notApplicable("no challenge offers the grant password")
		}
		c.behindWindows(part)
	})
}

// refusedGrants returns the answers to the requests for a token that must be refused.
func (c *check) refusedGrants() []answer {
	var list []answer
	for _, part := range []string{"grant-unsupported", "grant-missing", "grant-invalid"} {
		list = append(list, c.optional(part)...)
	}
	if len(list) == 0 {
		c.behindWindows("grant-unsupported")
		c.missing("grant-unsupported")
	}
	return list
}

// twoHosts ends a check for which tokens have to be issued by another host than has the applications.
func twoHosts(c *check) {
	if len(c.parts[partElsewhere]) == 0 && c.oneHost() {
		c.notApplicable("one host issues the tokens and has the applications")
	}
}

// sent returns the client's own requests on a rel of the sign-in.
func (c *check) sent(rel string) []answer {
	var list []answer
	for _, x := range c.Exchanges {
		if x.is(rel) && x.Probe == "" && x.Response.Code != 0 {
			list = append(list, answer{x, c})
		}
	}
	return list
}

// creations returns the requests with which the client itself creates an application.
func (c *check) creations() []answer {
	var list []answer
	for _, x := range c.Exchanges {
		if x.is("applications") && x.Request.Method == http.MethodPost && x.Probe == "" && x.Response.Code != 0 && !c.asksForIssuer(x) {
			list = append(list, answer{x, c})
		}
	}
	if len(list) == 0 {
		c.missing(partCreate)
	}
	return list
}

// asksForIssuer reports whether x is sent without a token to learn where the host gets its
// tokens, as the documentation has it for a host that is another than the first. The first
// challenge of a host tells it; who sends none later on has forgotten the token.
func (e *Evidence) asksForIssuer(x *Exchange) bool {
	if x.authorization() != "" || issuerOf(x) == nil {
		return false
	}
	here := ucwa.Origin(x.url)
	first := slices.IndexFunc(e.index.challenges, func(c challenge) bool { return c.at == here })
	return e.index.challenges[first].by == x.ID
}

// tokenRequests returns the requests with which the client itself asked for a token. A leg
// of NTLM or Negotiate is none yet: browsers keep the form back until the server knows them.
func (c *check) tokenRequests() []answer {
	list := slices.DeleteFunc(c.sent(relToken), func(a answer) bool {
		bare := a.Request.Body == "" && a.authorization() != ""
		return byItself(a.Exchange) || bare && a.Response.Code == http.StatusUnauthorized && windowsLeg(a.Exchange)
	})
	if len(list) == 0 {
		c.missing(partToken)
	}
	return list
}

// formOrBlocked returns the form in a token request, of which another requirement
// says that it must be one.
func (a answer) formOrBlocked() url.Values {
	form, err := a.form()
	if err != nil {
		a.check.blocked("create-application.3.form", a.Exchange)
	}
	return form
}

func (a answer) formField(form url.Values, name string) Field {
	return a.field("request body."+name, form.Get(name), form.Has(name))
}

// issuer ends the spec where the challenge leads nowhere.
func (c *check) issuer(a answer) {
	if issuerOf(a.Exchange) == nil {
		c.blocked("create-application.2.challenge", a.Exchange)
	}
}

// signedInBy ends the spec where the credentials that the run was given are wrong:
// the server is right then.
func (c *check) signedInBy(a answer) {
	if a.later() {
		c.look("200 OK", a.Status())
		c.stop(reports.Error, fmt.Sprintf("the server asked to come again later (%d in exchange %d): a password is sent once, so run again then", a.Response.Code, a.ID))
	}
	if a.Response.Code == http.StatusBadRequest && errorOf(a.Exchange) == "invalid_grant" || a.Response.Code == http.StatusUnauthorized {
		c.look("200 OK", a.Status())
		c.stop(reports.Error, fmt.Sprintf("the credentials of this run were refused, so nothing follows (%d in exchange %d)", a.Response.Code, a.ID))
	}
}

// challengeLostBefore returns an exchange before r whose challenge, if it had one, the evidence does not show.
func (c *check) challengeLostBefore(r answer) *Exchange {
	for _, x := range c.Exchanges {
		if !c.Driven && x.ID < r.ID && (x.answerHeadersLost() || x.Failure != "") && (len(x.rels) > 0 || x.url.Host == r.url.Host) {
			return x
		}
	}
	return nil
}

// challenged reports whether a challenge before r led to where it is sent.
func (c *check) challenged(r answer) bool {
	return slices.ContainsFunc(c.index.challenges, func(ch challenge) bool { return ch.by < r.ID && linkKey(ch.url) == linkKey(r.url) })
}

// offersNoPassword reports whether there are challenges, none of which offers the
// grant password.
func (c *check) offersNoPassword() bool {
	challenged := false
	for _, x := range c.Exchanges {
		i := issuerOf(x)
		challenged = challenged || i != nil
		if i != nil && slices.ContainsFunc(i.grants, func(g string) bool { return strings.EqualFold(g, ucwa.GrantPassword) }) {
			return false
		}
	}
	return challenged
}

// behindWindows ends the spec where a Windows sign-in stands before the token endpoint,
// and answered in its place: of the endpoint that shows nothing.
func (c *check) behindWindows(probe string) {
	asked := slices.ContainsFunc(c.Exchanges, func(x *Exchange) bool {
		return x.Probe == probe && x.is(relToken) && x.Response.Code == http.StatusUnauthorized && windowsLeg(x)
	})
	if asked && c.signedInWith(ucwa.GrantWindows) && len(c.parts[probe]) == 0 {
		c.notApplicable("a Windows sign-in (NTLM or Negotiate) stands before the token endpoint, and asks who it is before the form is read")
	}
}

// signedInWith reports whether a token was had by that grant.
func (c *check) signedInWith(grant string) bool {
	return slices.ContainsFunc(c.parts[partToken], func(x *Exchange) bool {
		form, err := x.form()
		return err == nil && x.succeeded() && strings.EqualFold(form.Get("grant_type"), grant)
	})
}

// oneHost reports whether tokens are issued by the host that has the applications.
func (c *check) oneHost() bool {
	for _, a := range c.parts[partUser] {
		for _, b := range c.parts[partCreate] {
			if ucwa.Origin(a.url) == ucwa.Origin(b.url) {
				return true
			}
		}
	}
	return false
}

// wasThere reports whether the endpoint had the application before: of what others recorded, the beginning may be missing.
func (a answer) wasThere() bool {
	object, _ := a.object()
	return !a.check.Driven && a.Response.Code == http.StatusOK && (a.lost || object["rel"] == "application")
}

// asAsked is what the request said under that name. Culture names have no casing. What
// the client left out, or the capture lost, the server need not say.
func asAsked(name string) wants {
	return func(c *check, a answer) matcher {
		if a.wasThere() {
			c.notApplicable("the application was there before the POST, and is as it was created then")
		}
		if a.bodyLost() && !c.Driven {
			c.stop(reports.Error, fmt.Sprintf("the capture does not hold the body of the request of exchange %d, %s %s", a.ID, a.Request.Method, a.Request.URL))
		}
		object, _ := a.requestObject()
		value, _ := member(object, name)
		text, _ := value.(string)
		if text == "" {
			c.notApplicable(fmt.Sprintf("the client does not tell its %s in exchange %d", name, a.ID))
		}
		return stringThat(text, func(s string) bool { return s == text || name == "culture" && strings.EqualFold(s, text) })
	}
}

// framedBefore reports whether u was served as the cross-domain frame before r was asked.
func (c *check) framedBefore(u *url.URL, r answer) bool {
	return slices.ContainsFunc(c.served[linkKey(u)], func(s serving) bool { return s.rel == "xframe" && c.Exchanges[s.by].ID < r.ID })
}

func isHTMLMedia(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "text/html" || media == "application/xhtml+xml"
}

var decimal = regexp.MustCompile(`^[0-9]+$`)

// leadOnSafely matches a link that may lead to another host, over a channel no weaker
// than the one that served it.
func leadOnSafely() matcher {
	return matcher{expected: "a link whose href is a URL, of https where the resource is", matches: func(f Field) bool {
		href, _ := dig(f.Value, "href")
		text, _ := href.(string)
		u, err := ucwa.Resolve(f.x.url, text)
		return err == nil && safely(u, f.x.url)
	}}
}

func safely(u, from *url.URL) bool {
	return u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && from.Scheme == "http")
}

func isLifetime(v any) bool {
	text, isText := v.(string)
	if number, ok := v.(json.Number); ok {
		text, isText = number.String(), true
	}
	n, err := strconv.ParseFloat(text, 64)
	return isText && err == nil && n > 0
}
