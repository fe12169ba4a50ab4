import { named, prefixed } from "../rule-kinds.js";
import type { SecretRule } from "../secret-rule.js";

const UUID = "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}";
const url = (length: number) => String.raw`[\w-]{${length},}`;

/** Keys of what watches programs: logs, traces, metrics, errors, analytics. */
export const OBSERVABILITY_RULES: readonly SecretRule[] = [
  named({
    id: "datadog_key",
    description: "Datadog API and application keys",
    names: ["datadog", "dd_api", "dd_app", "dd-api", "dd-app"],
    value: "[a-f0-9]{40}|[a-f0-9]{32}",
    sample: "{hex:32}",
  }),
  prefixed({
    id: "datadog_app_key",
    description: "Datadog keys that carry a prefix",
    prefixes: ["ddapp_", "ddpat_"],
    body: "[A-Za-z0-9]{32,}",
    sample: "{alnum:34}",
  }),
  prefixed({
    id: "newrelic_key",
    description: "New Relic user, ingest, browser and insights keys",
    prefixes: ["NRAK-", "NRJS-", "NRII-", "NRIQ-", "NRSP-", "NRRA-", "NRBR-"],
    body: "[A-Za-z0-9_-]{16,}",
    sample: "{capital:26}7",
  }),
  named({
    id: "newrelic_license_key",
    description: "New Relic license keys",
    names: ["newrelic", "new_relic", "new relic"],
    value: "[a-f0-9]{36}(?:NRAL|FFFF)|[a-f0-9]{40}|eu01xx[a-f0-9]{30}NRAL",
    sample: "{hex:36}NR{}AL",
  }),
  prefixed({
    id: "sentry_token",
    description: "Sentry organisation and user tokens",
    prefixes: ["sntrys_", "sntryu_", "sntrya_", "sntryi_"],
    body: "[A-Za-z0-9+/=_-]{40,}",
    sample: "{hex:64}",
  }),
  prefixed({
    id: "grafana_token",
    description: "Grafana service account and cloud tokens",
    prefixes: ["glsa_", "glc_"],
    body: String.raw`[\w+/=]{32,}`,
    sample: "{alnum:32}_{hex:8}",
  }),
  prefixed({
    id: "honeycomb_key",
    description: "Honeycomb keys",
    prefixes: ["hcaik_", "hcxik_", "hcbik_", "hcalk_", "hcxlk_"],
    body: "[A-Za-z0-9]{32,}",
    sample: "{lower:58}",
  }),
  prefixed({
    id: "dynatrace_token",
    description: "Dynatrace tokens",
    prefixes: ["dt0c01.", "dt0s01.", "dt0s02.", "dt0s16."],
    body: String.raw`[A-Z0-9]{8,24}\.[A-Z0-9]{64}`,
    sample: "{upper:24}.{upper:64}",
  }),
  prefixed({
    id: "posthog_key",
    description: "PostHog personal and service keys; project keys are public",
    prefixes: ["phx_", "phs_"],
    body: "[A-Za-z0-9]{32,}",
    sample: "{alnum:43}",
    spared: ["phc_{alnum:43}"],
  }),
  prefixed({
    id: "axiom_token",
    description: "Axiom tokens",
    prefixes: ["xaat-", "xapt-"],
    body: UUID,
    sample: "{uuid}",
  }),
  named({
    id: "splunk_token",
    description: "Splunk event collector tokens",
    names: ["splunk", "hec_"],
    value: UUID,
    sample: "{uuid}",
  }),
  named({
    id: "pagerduty_key",
    description: "PagerDuty keys",
    names: ["pagerduty", "pager_duty", "pd_"],
    value: String.raw`[A-Za-z0-9+_-]{20}|[a-f0-9]{32}`,
    sample: "u+{alnum:17}7",
  }),
  named({
    id: "analytics_key",
    description:
      "keys of Amplitude, Segment, Mixpanel, Rollbar, Bugsnag, Logz.io, Loggly, Sumo Logic, Opsgenie and Better Stack",
    names: [
      "amplitude",
      "segment",
      "mixpanel",
      "rollbar",
      "bugsnag",
      "logzio",
      "loggly",
      "sumo",
      "opsgenie",
      "betterstack",
      "logtail",
      "statuspage",
    ],
    value: String.raw`${UUID}|[A-Za-z0-9]{24,64}`,
    sample: "{hex:32}",
  }),
  named({
    id: "confluent_secret",
    description: "Confluent keys and secrets",
    names: ["confluent", "kafka", "sasl"],
    value: "[A-Za-z0-9+/]{60,64}",
    sample: "{base64:63}7",
  }),
  named({
    id: "search_key",
    description: "keys of Elastic, Meilisearch, Typesense and Upstash",
    names: ["elastic", "meili", "typesense", "upstash"],
    value: String.raw`[A-Za-z0-9+/_-]{24,120}={0,2}`,
    sample: "{alnum:43}7",
  }),
  prefixed({
    id: "influxdb_token",
    description: "InfluxDB 3 tokens",
    prefixes: ["apiv3_"],
    body: url(40),
    sample: "{alnum:48}",
  }),
];
