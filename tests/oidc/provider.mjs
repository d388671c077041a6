// An OpenID Connect provider on the port given, for one client that gets tokens for the API, and one that people sign in for. Its private
// keys can be had and replaced, which no real one allows: tests sign with them what the provider would never sign.
//   GET  /test/keys            its JWKS, private parts too; the first signs
//   POST /test/keys?keep=true  a new key signs; the others stay published, or with keep=false are gone
//   POST /test/console         where people may be sent back to, and for how many seconds their tokens are good
//   POST /test/answer          the status and body that the next request for a token gets
//   POST /test/forget          every session is over
//   GET  /test/counts          refresh tokens that were redeemed, and sessions that were revoked
import { createServer } from "node:http";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { Provider } from "oidc-provider";

const port = Number(process.argv[2]);
const issuer = `http://localhost:${port}`;
let keys = [newKey()];
let redirects = ["http://127.0.0.1/"];
let seconds = 300;
let nextAnswer = null;
let forgotten = 0;
const counts = { refreshes: 0, revocations: 0 };
let current = provider(keys);
let answer = current.callback();

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "RS256", use: "sig" };
}

function provider(jwks) {
  const made = new Provider(issuer, {
    jwks: { keys: jwks },
    clients: [
      { client_id: "robot", client_secret: "robot-secret", grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
      {
        client_id: "console",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        redirect_uris: redirects,
        post_logout_redirect_uris: redirects.map((each) => each.replace("/callback", "")),
      },
    ],
    cookies: { keys: ["a key of the tests"] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_, interaction) => `/test/interaction/${interaction.uid}` },
    // People are not asked whether the console may: their organization has decided that.
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId });
      grant.addOIDCScope("openid");
      await grant.save();
      return grant;
    },
    issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken: true,
    ttl: { IdToken: () => seconds, AccessToken: () => seconds, Session: 3600, Grant: 3600, RefreshToken: 3600, Interaction: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // The audience is what the client asks for: urn:viral-engine for the API, or another's.
        getResourceServerInfo: (_, resource) => ({
          scope: "",
          audience: resource.replace("urn:", ""),
          accessTokenFormat: "jwt",
          accessTokenTTL: seconds,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
  made.on("grant.success", (ctx) => {
    if (ctx.oidc.params.grant_type === "refresh_token") counts.refreshes++;
  });
  made.on("grant.revoked", () => counts.revocations++);
  return made;
}

function renew() {
  current = provider(keys);
  answer = current.callback();
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function interact(request, response) {
  await current.interactionDetails(request, response);
  if (request.method === "GET") {
    response.setHeader("Content-Type", "text/html").end(`<!doctype html><html lang="en"><title>Provider</title><link rel="icon" href="data:,">
      <form method="post"><label>Login <input name="login"></label><button>Sign in</button><button name="deny" value="1">Deny</button></form>`);
    return;
  }
  const form = new URLSearchParams(await bodyOf(request));
  const result = form.has("deny")
    ? { error: "access_denied", error_description: "The person said no." }
    : { login: { accountId: form.get("login") } };
  await current.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

async function serve(request, response) {
  const url = new URL(request.url, issuer);
  if (url.pathname.startsWith("/test/interaction/")) return interact(request, response);
  if (url.pathname === "/token" && nextAnswer) {
    const { status, body } = nextAnswer;
    nextAnswer = null;
    response.writeHead(status, { "Content-Type": "application/json" }).end(body);
    return;
  }
  if (url.pathname === "/token" && forgotten > 0) {
    response.writeHead(400, { "Content-Type": "application/json" }).end('{"error":"invalid_grant"}');
    return;
  }
  if (!url.pathname.startsWith("/test/")) return answer(request, response);
  if (request.method === "POST") {
    const text = await bodyOf(request);
    if (url.pathname === "/test/keys") {
      keys = [newKey(), ...(url.searchParams.get("keep") === "true" ? keys : [])];
      renew();
    } else if (url.pathname === "/test/console") {
      ({ redirects, seconds } = JSON.parse(text));
      forgotten = 0;
      renew();
    } else if (url.pathname === "/test/answer") {
      nextAnswer = JSON.parse(text);
    } else {
      forgotten = 1;
    }
  }
  response.setHeader("Content-Type", "application/json").end(JSON.stringify(url.pathname === "/test/counts" ? counts : { keys }));
}

createServer((request, response) => {
  Promise.resolve(serve(request, response)).catch((fault) => response.writeHead(500).end(String(fault)));
}).listen(port, "127.0.0.1");

// A killed test run says nothing, but its children get another parent.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 1000).unref();
