// An OpenID Connect provider on the port given, for one client that gets tokens for the API. Its private keys can be had and
// replaced, which no real one allows: tests sign with them what the provider would never sign.
//   GET  /test/keys            its JWKS, private parts too; the first signs
//   POST /test/keys?keep=true  a new key signs; the others stay published, or with keep=false are gone
import { createServer } from "node:http";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { Provider } from "oidc-provider";

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
let keys = [newKey()];
let answer = provider(keys);

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "RS256", use: "sig" };
}

function provider(jwks) {
  return new Provider(issuer, {
    jwks: { keys: jwks },
    clients: [
      { client_id: "robot", client_secret: "robot-secret", grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // The audience is what the client asks for: urn:viral-engine for the API, or another's.
        getResourceServerInfo: (_, resource) => ({
          scope: "",
          audience: resource.replace("urn:", ""),
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  }).callback();
}

createServer((request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname !== "/test/keys") return answer(request, response);
  if (request.method === "POST") {
    keys = [newKey(), ...(url.searchParams.get("keep") === "true" ? keys : [])];
    answer = provider(keys);
  }
  response.setHeader("Content-Type", "application/json").end(JSON.stringify({ keys }));
}).listen(port, "127.0.0.1");

// A killed test run says nothing, but its children get another parent.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 1000).unref();
