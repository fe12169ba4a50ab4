import type { Logger } from "@keepsake/core";

/** A key pair for a server, as AWS names its parts. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** How the server encrypts what it stores. */
export interface ServerEncryption {
  readonly algorithm: "AES256" | "aws:kms" | "aws:kms:dsse";
  /** of the server's key service; its default key where it is absent */
  readonly keyId?: string;
}

/** Where objects lie, and how they are reached. */
export interface S3Place {
  readonly bucket: string;
  /** what every key begins with; a `/` is put between. Default: nothing */
  readonly prefix?: string;
  /** the server's address, `https://host[:port]`; default: AWS, as the region says */
  readonly endpoint?: string;
  /** default: with an endpoint "us-east-1", without one what the environment and the profile say */
  readonly region?: string;
  /** the bucket in the path and not in the host's name; default: true with an endpoint */
  readonly pathStyle?: boolean;
  /** default: the usual chain of the environment, profiles and the machine's role */
  readonly credentials?: () => Promise<S3Credentials>;
  readonly encryption?: ServerEncryption;
  /** how often a call is tried before its failure is told; default 4 */
  readonly attempts?: number;
  /** how long a connection may take to be made, or be silent, before it counts as broken; default 30,000 */
  readonly timeoutMs?: number;
  /** told of a server that gives less than is hoped for */
  readonly logger?: Logger;
}
