// Package network is what a run needs to know of the network between it and a server: where hosts are, if not where DNS
// has them, and what to do about a failure.
package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// AddressBook is what --resolve says: where hosts are, as curl's option of that name.
type AddressBook map[string][]string // addresses, by "host:port" or "*:port"

// ParseResolve reads HOST:PORT:ADDRESS[,ADDRESS]. IPv6 stands in brackets, on both
// sides; as in curl an address may also stand without. Beyond curl an address may have a
// port of its own, 127.0.0.1:8443, where the host is reached through a tunnel.
func ParseResolve(list []string) (AddressBook, error) {
	book := AddressBook{}
	for _, entry := range list {
		host, rest, ok := strings.Cut(entry, ":")
		if strings.HasPrefix(entry, "[") {
			if host, rest, ok = strings.Cut(entry[1:], "]:"); ok {
				if _, err := netip.ParseAddr(host); err != nil {
					ok = false
				}
			}
		}
		port, addresses, both := strings.Cut(rest, ":")
		if n, err := strconv.ParseUint(port, 10, 16); !ok || !both || err != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@ ") {
			return nil, fmt.Errorf("--resolve %s: expected HOST:PORT:ADDRESS, such as lyncweb.contoso.com:443:10.0.0.7 or pool.contoso.com:443:[2001:db8::7]", entry)
		}
		key := net.JoinHostPort(strings.ToLower(strings.TrimSuffix(host, ".")), port)
		for address := range strings.SplitSeq(addresses, ",") {
			if forwarded, err := netip.ParseAddrPort(address); err == nil {
				book[key] = append(book[key], forwarded.String())
				continue
			}
			ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"))
			if err != nil {
				return nil, fmt.Errorf("--resolve %s: %q is no IP address, such as 10.0.0.7 or [2001:db8::7]", entry, address)
			}
			book[key] = append(book[key], net.JoinHostPort(ip.String(), port))
		}
	}
	return book, nil
}

// Of returns the addresses of "host:port", nil if the book does not know it.
func (b AddressBook) Of(hostPort string) []string {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil
	}
	if list := b[net.JoinHostPort(strings.ToLower(strings.TrimSuffix(host, ".")), port)]; list != nil {
		return list
	}
	return b[net.JoinHostPort("*", port)]
}

// Knows reports whether the book says where the host of a URL is.
func (b AddressBook) Knows(u *url.URL) bool {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return b.Of(net.JoinHostPort(u.Hostname(), port)) != nil
}

// Dial connects to where the book says, or where DNS does; the name in the TLS
// handshake stays the host's.
func (b AddressBook) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	list := b.Of(address)
	if list == nil {
		return dialer.DialContext(ctx, network, address)
	}
	var conn net.Conn
	var err error
	for _, known := range list {
		if conn, err = dialer.DialContext(ctx, network, known); err == nil {
			return conn, nil
		}
	}
	return nil, err
}
