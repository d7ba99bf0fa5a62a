/** Input for the measuring of logs, made as Vault and CloudTrail write it: mostly about other things than what is looked for. Never kept. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** The sources that are measured. */
export const intakeKinds = ["vault-audit", "cloudtrail"] as const;
/** One of them. */
export type IntakeKind = (typeof intakeKinds)[number];

const fileBytes = { "vault-audit": 128 << 20, cloudtrail: 16 << 20 };
const chunkRecords = 500;
/** One record in so many is a read of a watched document. */
const readEvery = 10;
const readers = 600;
const places = 300;

/** Writes files of that many bytes together; how many records are in them. */
export async function writeInput(kind: IntakeKind, folder: string, bytes: number): Promise<number> {
  await mkdir(folder, { recursive: true });
  let [records, written] = [0, 0];
  for (let file = 0; written < bytes; file++) {
    const end = Math.min(fileBytes[kind], bytes - written);
    const out = createWriteStream(join(folder, `${String(file).padStart(5, "0")}.log`));
    let inFile = 0;
    const put = async (text: string) => {
      inFile += text.length;
      if (!out.write(text)) await once(out, "drain");
    };
    if (kind === "cloudtrail") await put('{"Records":[');
    for (let first = true; inFile < end; first = false) {
      const texts = Array.from({ length: chunkRecords }, () => recordOf[kind](records++));
      if (kind === "cloudtrail") await put(`${first ? "" : ","}${texts.join(",")}`);
      else await put(`${texts.join("\n")}\n`);
    }
    if (kind === "cloudtrail") await put("]}");
    out.end();
    await once(out, "close");
    written += inFile;
  }
  return records;
}

/** Each reader has a few places of its own. */
const readerOf = (index: number) => (Math.imul(index, 0x9e3779b1) >>> 8) % readers;
const placeOf = (index: number) => (readerOf(index) + ((Math.imul(index, 0x85ebca6b) >>> 9) % 3)) % places;
const hmac = (number: number) => `hmac-sha256:${number.toString(16).padStart(64, "0")}`;
const hex = (number: number) => number.toString(16).padStart(12, "0");
const timeOf = (index: number) => new Date(1_767_225_600_000 + index * 3).toISOString();

const recordOf: Readonly<Record<IntakeKind, (index: number) => string>> = {
  "vault-audit": (index) => {
    const watched = index % readEvery === 1;
    const reader = readerOf(index);
    const response = index % 2 === 1;
    const path = watched ? `secret/data/apps/${placeOf(index)}/db` : `pki/issue/role-${index % 40}`;
    return JSON.stringify({
      time: timeOf(index),
      type: response ? "response" : "request",
      auth: {
        client_token: hmac(reader),
        accessor: hmac(reader + 1),
        display_name: "kubernetes-shop-app",
        policies: ["default", `app-${reader}`],
        token_policies: ["default", `app-${reader}`],
        policy_results: {
          allowed: true,
          granting_policies: [{ name: `app-${reader}`, namespace_id: "root", type: "acl" }],
        },
        metadata: {
          role: `app-${reader}`,
          service_account_name: `app-${reader}`,
          service_account_namespace: "shop",
        },
        entity_id: `00000000-0000-4000-8000-${hex(reader)}`,
        token_type: "service",
        token_ttl: 3600,
        token_issue_time: timeOf(index),
      },
      request: {
        id: `00000000-0000-4000-9000-${hex(index)}`,
        client_id: `00000000-0000-4000-8000-${hex(reader)}`,
        operation: watched ? "read" : "update",
        mount_point: watched ? "secret/" : "pki/",
        mount_type: watched ? "kv" : "pki",
        mount_class: "secret",
        client_token: hmac(reader),
        client_token_accessor: hmac(reader + 1),
        namespace: { id: "root" },
        path,
        remote_address: `10.0.${reader >> 8}.${reader & 255}`,
        remote_port: 40_000,
      },
      ...(response
        ? {
            response: {
              mount_point: watched ? "secret/" : "pki/",
              mount_type: watched ? "kv" : "pki",
              data: watched
                ? {
                    data: { username: hmac(1), password: hmac(2) },
                    metadata: {
                      created_time: hmac(3),
                      custom_metadata: null,
                      deletion_time: "",
                      destroyed: false,
                      version: 1 + (index % 3),
                    },
                  }
                : { certificate: hmac(4), serial_number: hmac(5), expiration: 1_767_225_600 },
            },
          }
        : {}),
    });
  },
  cloudtrail: (index) => {
    const watched = index % readEvery === 1;
    const role = `app-${readerOf(index)}`;
    return JSON.stringify({
      eventVersion: "1.11",
      userIdentity: {
        type: "AssumedRole",
        principalId: `AROAEXAMPLE:${role}`,
        arn: `arn:aws:sts::123456789012:assumed-role/${role}/session`,
        accountId: "123456789012",
        accessKeyId: "ASIAEXAMPLE0000000000",
        sessionContext: {
          sessionIssuer: {
            type: "Role",
            principalId: "AROAEXAMPLE",
            arn: `arn:aws:iam::123456789012:role/${role}`,
            accountId: "123456789012",
            userName: role,
          },
          attributes: { creationDate: timeOf(index), mfaAuthenticated: "false" },
        },
      },
      eventTime: `${timeOf(index).slice(0, 19)}Z`,
      eventSource: watched ? "secretsmanager.amazonaws.com" : "kms.amazonaws.com",
      eventName: watched ? "GetSecretValue" : "Decrypt",
      awsRegion: "eu-central-1",
      sourceIPAddress: "198.51.100.7",
      userAgent: "aws-sdk-go-v2/1.30.0 os/linux lang/go#1.23 md/GOOS#linux md/GOARCH#amd64",
      requestParameters: watched
        ? {
            secretId: `arn:aws:secretsmanager:eu-central-1:123456789012:secret:apps/${placeOf(index)}/db-AbC123`,
          }
        : { encryptionContext: { name: `volume-${index % 90}` }, encryptionAlgorithm: "SYMMETRIC_DEFAULT" },
      responseElements: null,
      requestID: `00000000-0000-4000-8000-${hex(index)}`,
      eventID: `00000000-0000-4000-9000-${hex(index)}`,
      readOnly: true,
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: "123456789012",
      eventCategory: "Management",
      tlsDetails: {
        tlsVersion: "TLSv1.3",
        cipherSuite: "TLS_AES_128_GCM_SHA256",
        clientProvidedHostHeader: "x.eu-central-1.amazonaws.com",
      },
    });
  },
};
