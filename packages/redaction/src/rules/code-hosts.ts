import { hasTokenChecksum } from "../checksums.js";
import { isPlaceholder, looksRandom } from "../randomness.js";
import { isKeyLike, named, prefixed } from "../rule-kinds.js";
import { type SecretRule, secretPattern, START } from "../secret-rule.js";

const GITHUB_TOKEN: SecretRule = {
  id: "github_token",
  description: "GitHub personal, OAuth, user, server, refresh and fine-grained tokens",
  keywords: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
  patterns: [
    secretPattern(String.raw`${START}(?<secret>gh[pousr]_[A-Za-z0-9]{36,})`),
    secretPattern(String.raw`${START}(?<secret>github_pat_\w{60,})`),
  ],
  reach: "keyword",
  // A checksum proves a token; that it is missing proves nothing, since the lengths of the newer ones vary.
  check: (token) =>
    hasTokenChecksum(token.slice(4)) ||
    (!isPlaceholder(token) && (!token.startsWith("github_pat_") || looksRandom(token))),
  samples: {
    found: [
      "GITHUB_TOKEN=«gh{}p_{alnum:36}»",
      "https://user:«gh{}o_{alnum:36}»@github.com/a/b",
      "«gh{}u_{alnum:36}»",
      "(«gh{}s_{alnum:36}»)",
      "«gh{}p_abcdefghijklmnopqrstuvwxyz0123456789»",
      "refresh: «gh{}r_{alnum:76}»",
      "«github_{}pat_{alnum:22}_{alnum:59}»",
      String.raw`"a\n«gh{}p_{alnum:36}»\n"`,
    ],
    spared: [
      "gh{}p_short",
      "gh{}p_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "a_gh{}p_{alnum:36}",
      "the function ghs_{}parse_header_of_the_incoming_request_line",
      "github_{}pat_your_token_here_your_token_here_your_token_here_your_token_here",
    ],
  },
};

const ARTIFACTORY_REFERENCE: SecretRule = {
  id: "artifactory_token",
  description: "JFrog Artifactory keys and reference tokens",
  keywords: ["akcp", "cmvmdgtu"],
  patterns: [
    secretPattern(String.raw`${START}(?<secret>AKCp[A-Za-z0-9]{50,})`),
    secretPattern(String.raw`${START}(?<secret>cmVmdGtu[A-Za-z0-9]{50,})`),
  ],
  reach: "keyword",
  check: isKeyLike,
  samples: {
    found: ["ARTIFACTORY=«AK{}Cp{alnum:69}»", "«cm{}VmdGtu{alnum:56}»"],
    spared: ["AK{}Cp{alnum:20}", "a_AK{}Cp{alnum:69}"],
  },
};

const NPMRC: SecretRule = {
  id: "npmrc_auth",
  description: "credentials in .npmrc, .pypirc and Docker's configuration",
  keywords: ["_auth", "_password", '"auth"'],
  patterns: [
    secretPattern(String.raw`_(?:auth(?:Token)?|password)[ \t]*=[ \t]*["']?(?<secret>[A-Za-z0-9+/_-]{16,}={0,2})`),
    secretPattern(String.raw`"auth"\s*:\s*"(?<secret>[A-Za-z0-9+/]{12,}={0,2})"`),
  ],
  reach: "keyword",
  check: (value) => looksRandom(value),
  samples: {
    found: [
      "//registry.example.org/:_auth{}Token=«{uuid}»",
      "_auth{}=«dXNlcjpQ{base64:22}==»",
      '{"auths":{"r.example.org":{"auth": "«dXNlcjpQ{base64:24}»"}}}',
    ],
    spared: ["//registry.example.org/:_authToken=${NPM_TOKEN}", "_auth=short", "always-auth=true"],
  },
};

const hex = (length: number) => `[a-f0-9]{${length},}(?![A-Za-z0-9])`;
const url = (length: number) => String.raw`[\w-]{${length},}`;
const alnum = (length: number) => `[A-Za-z0-9]{${length},}`;

/** Tokens of code hosts, builds and package registries. */
export const CODE_HOST_RULES: readonly SecretRule[] = [
  GITHUB_TOKEN,
  prefixed({
    id: "gitlab_token",
    description: "GitLab tokens: personal, deploy, runner, trigger, job, feed, mail, agent, OAuth",
    prefixes: [
      "glpat-",
      "gldt-",
      "glrt-",
      "glrtr-",
      "glptt-",
      "glcbt-",
      "glft-",
      "glimt-",
      "glagent-",
      "gloas-",
      "glsoat-",
      "glffct-",
      "GR1348941",
    ],
    body: String.raw`[\w-]{20,}(?:\.[\w-]{2,80}){0,3}`,
    sample: "{alnum:19}7",
  }),
  prefixed({
    id: "bitbucket_token",
    description: "Bitbucket app passwords and access tokens",
    prefixes: ["ATBB", "ATCTT3xFf"],
    body: String.raw`[\w=-]{28,}`,
    sample: "{alnum:32}",
  }),
  prefixed({
    id: "atlassian_token",
    description: "Atlassian API tokens",
    prefixes: ["ATATT3xFf"],
    body: String.raw`[\w=-]{40,}`,
    sample: "{url:174}7={heX:8}",
  }),
  named({
    id: "atlassian_legacy_token",
    description: "Atlassian tokens of 24 characters",
    names: ["atlassian", "jira", "confluence"],
    value: "[A-Za-z0-9]{24}",
    sample: "{alnum:23}7",
  }),
  prefixed({
    id: "sourcegraph_token",
    description: "Sourcegraph tokens",
    prefixes: ["sgp_"],
    body: "(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40}",
    sample: "{hex:16}_{hex:40}",
  }),
  prefixed({
    id: "circleci_token",
    description: "CircleCI tokens",
    prefixes: ["CCIPAT_", "CCIPRJ_"],
    body: String.raw`\w{40,}`,
    sample: "{alnum:22}_{hex:40}",
  }),
  prefixed({
    id: "buildkite_token",
    description: "Buildkite tokens",
    prefixes: ["bkua_", "bkct_"],
    body: "[A-Za-z0-9]{36,}",
    sample: "{hex:40}",
  }),
  prefixed({
    id: "sonar_token",
    description: "SonarQube tokens",
    prefixes: ["squ_", "sqp_", "sqa_"],
    body: hex(40),
    sample: "{hex:40}",
  }),
  prefixed({
    id: "postman_key",
    description: "Postman keys",
    prefixes: ["PMAK-"],
    body: "[a-f0-9]{24}-[a-f0-9]{34}",
    sample: "{hex:24}-{hex:34}",
  }),
  prefixed({
    id: "npm_token",
    description: "npm tokens",
    prefixes: ["npm_"],
    body: "[A-Za-z0-9]{36,}",
    sample: "{alnum:36}",
    check: (body) => hasTokenChecksum(body) || isKeyLike(body),
    spared: ["npm_{}config_registry_and_other_settings_of_it"],
  }),
  prefixed({
    id: "pypi_token",
    description: "PyPI upload tokens",
    prefixes: ["pypi-AgE"],
    body: url(50),
    sample: "IcHlwaS5vcmc{url:150}",
  }),
  prefixed({
    id: "rubygems_key",
    description: "RubyGems keys",
    prefixes: ["rubygems_"],
    body: hex(40),
    sample: "{hex:48}",
  }),
  prefixed({
    id: "crates_token",
    description: "crates.io tokens",
    prefixes: ["cio"],
    body: "[A-Za-z0-9]{32}(?![A-Za-z0-9])",
    sample: "{alnum:32}",
  }),
  prefixed({
    id: "nuget_key",
    description: "NuGet keys",
    prefixes: ["oy2"],
    body: "[a-z0-9]{43}(?![A-Za-z0-9])",
    sample: "{lower:43}",
  }),
  prefixed({
    id: "clojars_token",
    description: "Clojars tokens",
    prefixes: ["CLOJARS_"],
    body: alnum(50),
    sample: "{lower:60}",
  }),
  prefixed({
    id: "docker_token",
    description: "Docker Hub personal and organisation tokens",
    prefixes: ["dckr_pat_", "dckr_oat_"],
    body: url(24),
    sample: "{url:26}7",
  }),
  ARTIFACTORY_REFERENCE,
  NPMRC,
  prefixed({
    id: "prefect_key",
    description: "Prefect keys",
    prefixes: ["pnu_", "pnb_"],
    body: alnum(36),
    sample: "{alnum:36}",
  }),
  named({
    id: "snyk_token",
    description: "Snyk tokens",
    names: ["snyk"],
    value: "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    sample: "{uuid}",
  }),
  named({
    id: "codecov_token",
    description: "Codecov tokens",
    names: ["codecov"],
    value: "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}|[a-f0-9]{32}",
    sample: "{uuid}",
  }),
  named({
    id: "ci_token",
    description: "tokens of Travis CI, Drone, Gitea and Forgejo",
    names: ["travis", "drone", "gitea", "forgejo"],
    value: "[A-Za-z0-9]{20,40}",
    sample: "{hex:40}",
  }),
];
