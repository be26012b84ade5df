// Calls to moto's services for which Petra has no SDK client, by plain HTTP. moto asks for no signature, only for the
// service's name in its scope.

export class MotoCalls {
  readonly #endpoint: string;
  readonly #region: string;

  constructor(moto: { readonly endpoint: string; readonly config: { readonly region: string } }) {
    this.#endpoint = moto.endpoint;
    this.#region = moto.config.region;
  }

  /** A JSON document of a service that speaks REST: `apigateway`, `lambda`. */
  async json(service: string, path: string): Promise<unknown> {
    return (await this.#get(service, path)).json();
  }

  /** An object of S3. */
  async object(bucket: string, key: string): Promise<Buffer> {
    return Buffer.from(await (await this.#get('s3', `/${bucket}/${key}`)).arrayBuffer());
  }

  /** What an action of a service with the query protocol answers, as XML. */
  async query(service: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    const response = await fetch(this.#endpoint, {
      method: 'POST',
      body: new URLSearchParams(parameters),
      headers: this.#signed(service),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${service} ${parameters.Action}: ${response.status} ${text}`);
    return text;
  }

  async #get(service: string, path: string): Promise<Response> {
    const response = await fetch(`${this.#endpoint}${path}`, { headers: this.#signed(service) });
    if (!response.ok) throw new Error(`${service} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  #signed(service: string): Readonly<Record<string, string>> {
    const scope = `20260101/${this.#region}/${service}/aws4_request`;
    return {
      authorization: `AWS4-HMAC-SHA256 Credential=account/${scope}, SignedHeaders=host, Signature=none`,
    };
  }
}
