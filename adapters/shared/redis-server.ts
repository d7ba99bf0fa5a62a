/** How a set of Redis servers is written down, whoever connects to it. */
import { z } from "zod";
import { isSecretRef, secretRef } from "../../domain/estate/secret-ref.js";
import { tlsSchema } from "./http.js";

/** What a field that takes a user's name expects. */
export const userNameExpectation = "expected the name of an ACL user, without spaces";

/** True for a name that an ACL user can have. */
export function isUserName(name: string): boolean {
  return /^[^\s\0]{1,128}$/.test(name);
}

/** Fields of everything that connects to Redis: the issuer, and the consumer kind that looks at sessions. */
export const serverFields = {
  nodes: z
    .array(
      z.strictObject({
        host: z.string().min(1).describe("Name or address of the server."),
        port: z.int().min(1).max(65_535).default(6379).describe("Port of the server."),
        announced: z
          .array(z.string().regex(/^\S+:\d{1,5}$/, { error: "expected host:port" }))
          .default([])
          .describe(
            "Addresses (host:port) under which the other servers know it, where those are different.",
          ),
      }),
    )
    .min(1)
    .describe(
      "Every server that lets the user in: primaries and replicas, all nodes of a cluster. ACLs are not replicated.",
    ),
  tls: tlsSchema()
    .optional()
    .describe("TLS towards all nodes; without it the password of each login travels in the clear."),
  login: z
    .strictObject({
      username: z
        .string()
        .refine((text) => isSecretRef(text) || isUserName(text), { error: userNameExpectation })
        .describe("The engine's own user: its name, or a reference to it."),
      password: secretRef().describe("Reference to the password of the engine's own user."),
    })
    .describe("As whom the engine connects; both are read anew at each connect."),
};

const serverSchema = z.object(serverFields);

/** What it takes to reach the nodes. */
export type ServerConfig = z.output<typeof serverSchema>;
