import http from 'k6/http';
import { check, fail } from 'k6';

const headers = { Authorization: `Bearer ${__ENV.TOKEN}`, Accept: 'application/json', 'Content-Type': 'application/json' };

function expect(value, what) {
  if (!check(value, what)) fail(JSON.stringify(value.body));
}

export const options = { thresholds: { checks: ['rate==1'] } };

export default function () {
  expect(http.post(`${__ENV.APPLICATION}/me/makeMeAvailable`, '{"supportedModalities":["Messaging"]}', { headers }), { 'makeMeAvailable is answered with 204': (r) => r.status === 204 });
  const application = http.get(__ENV.APPLICATION, { headers });
  expect(application, {
    'the application is answered with 200': (r) => r.status === 200,
    'it is one': (r) => r.json().rel === 'application',
    'it has a link to presence': (r) => r.json()._embedded.me._links.presence.href !== '',
  });
  expect(http.post(__ENV.ORIGIN + application.json()._embedded.me._links.presence.href, '{"availability":"Away"}', { headers }), { 'presence is answered with 204': (r) => r.status === 204 });
}
