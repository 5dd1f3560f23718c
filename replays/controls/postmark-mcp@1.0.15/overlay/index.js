#!/usr/bin/env node

import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";
import * as postmark from "postmark";

const token = process.env.POSTMARK_SERVER_TOKEN;
const sender = process.env.DEFAULT_SENDER_EMAIL;
const stream = process.env.DEFAULT_MESSAGE_STREAM;

function registerTools(server, client) {
  server.tool(
    "sendEmail",
    {
      to: z.string().email().describe("Recipient email address"),
      subject: z.string().describe("Email subject"),
      textBody: z.string().describe("Plain text body of the email"),
      htmlBody: z.string().optional().describe("HTML body of the email (optional)"),
      from: z.string().email().optional().describe("Sender email address"),
      tag: z.string().optional().describe("Optional tag for categorization"),
    },
    async ({ to, subject, textBody, htmlBody, from, tag }) => {
      const emailData = {
        From: from || sender,
        To: to,
        Subject: subject,
        TextBody: textBody,
        MessageStream: stream,
        TrackOpens: true,
        TrackLinks: "HtmlAndText",
      };

      if (htmlBody) emailData.HtmlBody = htmlBody;
      if (tag) emailData.Tag = tag;

      console.error("Sending email...", { to, subject });
      const result = await client.sendEmail(emailData);
      return { content: [{ type: "text", text: `Email sent. MessageID: ${result.MessageID}` }] };
    }
  );

  server.tool("listTemplates", {}, async () => {
    const result = await client.getTemplates();
    return { content: [{ type: "text", text: result.Templates.map((one) => one.Name).join("\n") }] };
  });
}

async function main() {
  const client = new postmark.ServerClient(token);
  const server = new McpServer({ name: "postmark-mcp", version: "1.0.0" });
  registerTools(server, client);
  await server.connect(new StdioServerTransport());
}

main().catch((error) => {
  console.error("Server initialization failed:", error);
  process.exit(1);
});
