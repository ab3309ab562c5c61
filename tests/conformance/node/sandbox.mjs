// What a journey through the sandbox needs: the SDK at its host, its control API, an inbox.
import { createServer } from "node:http";
import sdk from "facebook-nodejs-business-sdk";

/** An id that only the sandbox could have given, and has not: every smaller one exists by use. */
export const MISSING_ID = "9".repeat(18);

/** Sends every call of the SDK to `url`. Any token will do; the crash reporter stays off. */
export function connect(url) {
  // The host is a getter without a setter, and axios would use a proxy that the environment names.
  Object.defineProperty(sdk.FacebookAdsApi, "GRAPH", { value: url });
  process.env.no_proxy = new URL(url).hostname;
  return sdk.FacebookAdsApi.init("token", "en_US", false);
}

/** Makes one call of the control API of the sandbox, which may stand behind the host at `url`. */
export async function control(url, path, body) {
  const answer = await fetch(`${process.argv[3] ?? url}/sandbox/${path}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`The sandbox refused ${path}: ${await answer.text()}`);
}

/** Starts a receiver of notifications: `uri` for the sets, the bodies that came, `close`. */
export async function listenForNotifications() {
  const bodies = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    bodies.push(Buffer.concat(chunks).toString());
    response.end("OK");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const uri = `http://127.0.0.1:${server.address().port}/hook`;
  return { uri, bodies, close: () => server.close() };
}
