#!/bin/sh
# A UCWA client by curl, with one mistake: it sends the token of the Autodiscover host to
# the pool, which is another host.
set -eu

field() { # NAME: its value in the JSON of standard input
	tr -d '\n' | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

at=${CONFORM_AUTODISCOVER_URL%%/Autodiscover*}
root=$(curl -sS -H 'Accept: application/json' "$CONFORM_AUTODISCOVER_URL")
user=$(printf %s "$root" | sed -n 's/.*"user":{"href":"\([^"]*\)".*/\1/p')
case $user in /*) user=$at$user ;; esac
endpoint=$(curl -sS -D - -o /dev/null -H 'Accept: application/json' "$user" | sed -n 's/.*MsRtcOAuth href="\([^"]*\)".*/\1/p')
token=$(curl -sS -H 'Accept: application/json' "$endpoint" \
	--data-urlencode grant_type=password --data-urlencode "username=$CONFORM_USERNAME" --data-urlencode "password=$CONFORM_PASSWORD" |
	field access_token)
applications=$(curl -sS -H 'Accept: application/json' -H "Authorization: Bearer $token" "$user" | sed -n 's/.*"applications":{"href":"\([^"]*\)".*/\1/p')
case $applications in /*) applications=$at$applications ;; esac
curl -sS -o /dev/null -w 'the pool answers %{http_code}\n' -H 'Accept: application/json' -H 'Content-Type: application/json' \
	-H "Authorization: Bearer $token" -d '{"userAgent":"ShellBoard","endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afa6","culture":"en-US"}' "$applications"
