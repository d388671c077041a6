// Reads a JSON array of { secret, headers, body } and writes, for each, what each reference verifier says: null when it
// accepts the message, else why not.
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);

function verdict(Verifier, { secret, headers, body }) {
  try {
    new Verifier(secret).verify(body, headers);
    return null;
  } catch (error) {
    return error.message;
  }
}

const messages = JSON.parse(Buffer.concat(chunks).toString("utf8"));
process.stdout.write(
  JSON.stringify(
    messages.map((message) => ({
      standardwebhooks: verdict(StandardWebhook, message),
      svix: verdict(SvixWebhook, message),
    })),
  ),
);
