package network

import "strings"

// advices say what to do about a failure of the network, as far as its words tell. The
// first that knows its words speaks, so the narrower stand first.
var advices = []struct{ words, advice string }{
	{"trust the domain if it is right", "the deployment leads to a host outside the user's domain: if that is theirs too, name its domain with --trust DOMAIN"},
	{"x509: certificate has expired", "the server's certificate has expired, or is not yet valid, by the clock of this machine: renew it, or set the clock"},
	{"x509: certificate is valid for", "the server's certificate is for another name: ask it by that name, and --resolve NAME:PORT:ADDRESS to say where it is"},
	{"x509: cannot validate certificate", "the server's certificate is for another name: ask it by that name, and --resolve NAME:PORT:ADDRESS to say where it is"},
	{"x509: ", "the server's certificate is not trusted: give the authority that signed it with --cacert FILE"},
	{"tls: certificate required", "the server wants a client certificate: give one with --client-cert FILE and --client-key FILE"},
	{"remote error: tls: ", "the server refused the TLS handshake: it may want another client certificate (--client-cert, --client-key), or speak no TLS that is still safe"},
	{"first record does not look like a TLS handshake", "the server speaks http at that port, not https"},
	{"gave HTTP response to HTTPS client", "the server speaks http at that port, not https"},
	{"proxyconnect", "the proxy of HTTPS_PROXY could not be used: check it, except the host by NO_PROXY, or say where the host is with --resolve HOST:PORT:ADDRESS"},
	{"Proxy Authentication Required", "the proxy wants to know who asks: put a user into HTTPS_PROXY, or except the host by NO_PROXY"},
	{"connection refused", "nothing listens at that address: is the server running, and is the port right?"},
	{"actively refused", "nothing listens at that address: is the server running, and is the port right?"},
	{"no such host", "the host name is not known here: check the URL of --application or --autodiscover, the domain of --sip, or the DNS of this machine; --resolve HOST:PORT:ADDRESS does without"},
	{"no route to host", "there is no way to that address from this machine: check the network, or give another address with --resolve HOST:PORT:ADDRESS"},
	{"network is unreachable", "there is no way to that address from this machine: check the network, or give another address with --resolve HOST:PORT:ADDRESS"},
	{"gzip: ", "an answer says that it is compressed, and is not, or not whole: a load balancer or proxy on the way may rewrite answers; ask a server directly with --resolve HOST:PORT:ADDRESS"},
	{"unexpected EOF", "the connection ended in the middle of an answer, or the answer says a wrong Content-Length: look at the server, or at the load balancer before it"},
	{"connection reset", "the server, or a load balancer or firewall before it, cut the connection: run again, and ask one server directly with --resolve HOST:PORT:ADDRESS"},
	{"forcibly closed", "the server, or a load balancer or firewall before it, cut the connection: run again, and ask one server directly with --resolve HOST:PORT:ADDRESS"},
	{"malformed MIME header", "the connection ended in the middle of an answer's header, or that is no header: look at the server, or at the load balancer before it"},
	{"malformed HTTP", "what answers at that port does not speak HTTP, or breaks off: is the port right, and is there a load balancer before it?"},
	{"malformed chunked", "an answer is framed wrongly: look at the server, or at the load balancer before it"},
	{"chunk length", "an answer is framed wrongly: look at the server, or at the load balancer before it"},
	{"bad Content-Length", "an answer is framed wrongly: look at the server, or at the load balancer before it"},
	{"EOF", "the server closed the connection without an answer: look at its log, or at the load balancer before it"},
	{"no answer in the time that was given for one", "the server takes longer than --request-timeout allows: give it more, or look at why"},
}

// Advice returns what to do about the first failure that is known, "" if none is.
func Advice(failures ...string) string {
	for _, known := range advices {
		for _, failure := range failures {
			if strings.Contains(failure, known.words) {
				return known.advice
			}
		}
	}
	return ""
}
