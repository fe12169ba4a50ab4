import { looksRandom, mixes } from "../randomness.js";
import { isReal, named, prefixed } from "../rule-kinds.js";
import { type SecretRule, secretPattern, START } from "../secret-rule.js";

const BRAINTREE_TOKEN: SecretRule = {
  id: "braintree_token",
  description: "Braintree and PayPal access tokens",
  keywords: ["access_token$"],
  patterns: [secretPattern(String.raw`(?<secret>access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32})`)],
  reach: "keyword",
  check: isReal,
  samples: {
    found: ["token: «access_token$production{}${lower:16}${hex:32}»", '"«access_token$sandbox{}${lower:16}${hex:32}»"'],
    spared: ["access_token$production$", "access_token$"],
  },
};

const MAILCHIMP_KEY: SecretRule = {
  id: "mailchimp_key",
  description: "Mailchimp keys: 32 hex digits and the data centre",
  keywords: ["-us"],
  patterns: [secretPattern(String.raw`${START}(?<secret>[a-f0-9]{32}-us[0-9]{1,2})(?![\w-])`)],
  reach: 40,
  check: (key) => looksRandom(key),
  samples: {
    found: ["MAILCHIMP=«{hex:32}-us{}14»", '{"key":"«{hex:32}-us{}6»"}'],
    spared: ["{hex:40}-us14", "{hex:32}-usage", "{hex:32}"],
  },
};

const MAILGUN_KEY: SecretRule = {
  id: "mailgun_key",
  description: "Mailgun keys of three hex parts",
  keywords: ["mailgun", "mg_"],
  patterns: [secretPattern(String.raw`${START}(?<secret>[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8})(?![\w-])`)],
  reach: 160,
  check: (key) => looksRandom(key),
  samples: {
    found: ["MAILGUN_API_KEY=«{hex:32}-{hex:8}-{hex:8}»", "mailgun (prod): «{hex:32}-{hex:8}-{hex:8}»"],
    spared: ["{hex:32}-{hex:8}-{hex:8}", "mailgun {hex:32}"],
  },
};

const SENDGRID_KEY: SecretRule = {
  id: "sendgrid_key",
  description: "SendGrid keys",
  keywords: ["sg."],
  patterns: [secretPattern(String.raw`${START}(?<secret>SG\.[\w-]{16,32}\.[\w-]{32,})`)],
  reach: "keyword",
  check: (key) => looksRandom(key, 3.5),
  samples: {
    found: ["SENDGRID_API_KEY=«SG{}.{url:22}.{url:43}»", '"«SG{}.{url:22}.{url:43}»"'],
    spared: [
      "SG{}.xxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "MSG{}.{url:22}.{url:43}",
      "SG.com",
    ],
  },
};

const alnum = (length: number) => `[A-Za-z0-9]{${length},}`;
const url = (length: number) => String.raw`[\w-]{${length},}`;
const hex = (length: number) => `[a-f0-9]{${length},}(?![A-Za-z0-9])`;

/** Keys of payment, mail and message services. */
export const PAYMENT_RULES: readonly SecretRule[] = [
  prefixed({
    id: "stripe_key",
    description: "Stripe secret and restricted keys, and those of services that write theirs alike (Clerk, Paystack)",
    prefixes: ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_prod_", "rk_prod_"],
    body: alnum(16),
    sample: "{alnum:99}7",
    spared: ["pk_live_{alnum:24}", "pk_test_{alnum:24}", "risk_{}live_{alnum:24}"],
  }),
  prefixed({
    id: "stripe_webhook_secret",
    description: "signing secrets of webhooks (Stripe, Svix)",
    prefixes: ["whsec_"],
    body: "[A-Za-z0-9+/]{24,}={0,2}",
    sample: "{alnum:32}",
  }),
  prefixed({
    id: "square_token",
    description: "Square tokens and secrets",
    prefixes: ["EAAA", "sq0atp-", "sq0csp-"],
    body: url(22),
    sample: "{url:60}",
  }),
  prefixed({
    id: "shopify_token",
    description: "Shopify tokens and secrets",
    prefixes: ["shpat_", "shpca_", "shppa_", "shpss_", "shptka_", "shpua_"],
    body: alnum(32),
    sample: "{hex:32}",
  }),
  prefixed({
    id: "plaid_token",
    description: "Plaid access tokens",
    prefixes: ["access-sandbox-", "access-production-", "access-development-"],
    body: "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    sample: "{uuid}",
  }),
  prefixed({
    id: "adyen_key",
    description: "Adyen keys",
    prefixes: ["AQE"],
    body: String.raw`[A-Za-z0-9+/=]{60,}-[A-Za-z0-9+/=]{30,}(?:-[A-Za-z0-9]{8,24})?`,
    sample: "{base64:120}=-{base64:43}=-{alnum:16}",
  }),
  prefixed({
    id: "razorpay_key",
    description: "Razorpay key ids",
    prefixes: ["rzp_live_", "rzp_test_"],
    body: "[A-Za-z0-9]{14}(?![A-Za-z0-9])",
    sample: "{alnum:13}7",
    check: isReal,
  }),
  named({
    id: "razorpay_secret",
    description: "Razorpay key secrets",
    names: ["razorpay"],
    value: "[A-Za-z0-9]{24}",
    sample: "{alnum:23}7",
  }),
  prefixed({
    id: "flutterwave_key",
    description: "Flutterwave secret keys",
    prefixes: ["FLWSECK-", "FLWSECK_TEST-", "FLWSECK_LIVE-"],
    body: url(12),
    sample: "{hex:32}-X",
    spared: ["FLWPUBK-{hex:32}-X"],
  }),
  prefixed({
    id: "mollie_key",
    description: "Mollie and GoCardless keys",
    prefixes: ["live_", "test_"],
    body: String.raw`[\w-]{30,}`,
    sample: "{alnum:30}",
    check: (body) => looksRandom(body, 3.5) && !body.includes("_") && mixes(body, 2),
  }),
  prefixed({
    id: "easypost_key",
    description: "EasyPost keys",
    prefixes: ["EZAK", "EZTK"],
    body: alnum(54),
    sample: "{hex:54}",
  }),
  prefixed({
    id: "shippo_token",
    description: "Shippo and Duffel tokens",
    prefixes: ["shippo_live_", "shippo_test_", "duffel_live_", "duffel_test_"],
    body: url(32),
    sample: "{hex:40}",
  }),
  BRAINTREE_TOKEN,
  named({
    id: "paypal_secret",
    description: "PayPal client secrets",
    names: ["paypal"],
    value: String.raw`E[\w-]{78,82}|[\w-]{80}`,
    sample: "E{url:78}7",
  }),
  named({
    id: "coinbase_key",
    description: "keys of exchanges (Coinbase, Binance, Kraken)",
    names: ["coinbase", "binance", "kraken"],
    value: String.raw`[A-Za-z0-9+/]{32,90}={0,2}`,
    sample: "{alnum:63}7",
  }),
  SENDGRID_KEY,
  MAILGUN_KEY,
  MAILCHIMP_KEY,
  prefixed({
    id: "resend_key",
    description: "Resend keys",
    prefixes: ["re_"],
    body: "[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}",
    sample: "{alnum:8}_{alnum:24}",
  }),
  prefixed({
    id: "brevo_key",
    description: "Brevo (Sendinblue) API and SMTP keys",
    prefixes: ["xkeysib-", "xsmtpsib-"],
    body: "[a-f0-9]{60,}-[A-Za-z0-9]{16}",
    sample: "{hex:64}-{alnum:16}",
  }),
  prefixed({
    id: "mailersend_token",
    description: "MailerSend tokens",
    prefixes: ["mlsn."],
    body: hex(60),
    sample: "{hex:64}",
  }),
  prefixed({
    id: "mandrill_key",
    description: "Mandrill keys",
    prefixes: ["md-"],
    body: url(20),
    sample: "{alnum:22}",
  }),
  named({
    id: "postmark_token",
    description: "Postmark tokens",
    names: ["postmark"],
    value: "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    sample: "{uuid}",
  }),
  prefixed({
    id: "twilio_key_sid",
    description: "Twilio API keys",
    prefixes: ["SK"],
    body: "[a-f0-9]{32}(?![A-Za-z0-9])",
    sample: "{hex:32}",
  }),
  named({
    id: "twilio_token",
    description: "Twilio auth tokens and key secrets",
    names: ["twilio"],
    value: "[A-Za-z0-9]{32}",
    sample: "{hex:32}",
  }),
  named({
    id: "sms_secret",
    description: "keys of Vonage, Nexmo, MessageBird, Plivo, Sinch and Telnyx",
    names: ["vonage", "nexmo", "messagebird", "plivo", "sinch", "telnyx"],
    value: String.raw`[A-Za-z0-9_-]{16,64}`,
    sample: "{alnum:24}7",
  }),
  prefixed({
    id: "klaviyo_key",
    description: "Klaviyo private keys",
    prefixes: ["pk_"],
    body: hex(34),
    sample: "{hex:34}",
  }),
];
