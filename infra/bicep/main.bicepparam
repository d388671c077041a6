// The one parameter file: azd and the GitHub workflow both say by environment variables what they want. Sizes are in
// sizes.bicep.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'try')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param size = readEnvironmentVariable('VIRAL_SIZE', 'try')
param durableStorage = readEnvironmentVariable('VIRAL_DURABLE_STORAGE', 'AzureStorage')
param alertEmail = readEnvironmentVariable('VIRAL_ALERT_EMAIL', '')
param budgetStart = readEnvironmentVariable('VIRAL_BUDGET_START', '')
param firewall = readEnvironmentVariable('VIRAL_FIREWALL', 'None')
param auditPolicies = bool(readEnvironmentVariable('VIRAL_AUDIT_POLICIES', 'false'))
param authAuthority = readEnvironmentVariable('VIRAL_AUTH_AUTHORITY', '')
param authAudience = readEnvironmentVariable('VIRAL_AUTH_AUDIENCE', '')

// A repository created or renamed since 15 July 2026 has ids in the subject of its tokens; an older one has none.
param githubRepository = readEnvironmentVariable('VIRAL_GITHUB_REPOSITORY', '')
param githubOwnerId = readEnvironmentVariable('VIRAL_GITHUB_OWNER_ID', '')
param githubRepositoryId = readEnvironmentVariable('VIRAL_GITHUB_REPOSITORY_ID', '')

// Whoever runs azd migrates the database; tools/azure/operator.sh finds out who that is.
param operatorObjectId = readEnvironmentVariable('VIRAL_OPERATOR_OBJECT_ID', '')
param operatorName = readEnvironmentVariable('VIRAL_OPERATOR_NAME', '')
param operatorType = readEnvironmentVariable('VIRAL_OPERATOR_TYPE', 'User')

// What has changed by itself, or by a restore: disks grow and never shrink, a restored server has another name, and
// orchestrations of before a restore stay in the old hub.
param postgresStorageGb = int(readEnvironmentVariable('VIRAL_POSTGRES_STORAGE_GB', '0'))
param postgresServerName = readEnvironmentVariable('VIRAL_POSTGRES_SERVER', '')
param taskHubName = readEnvironmentVariable('VIRAL_TASK_HUB', '')

// Secrets come from the environment and are in no file. One that is empty leaves the stored one as it is.
param platformKey = readEnvironmentVariable('VIRAL_PLATFORM_KEY', '')
param secretsKey = readEnvironmentVariable('VIRAL_SECRETS_KEY', '')
param previousSecretsKey = readEnvironmentVariable('VIRAL_PREVIOUS_SECRETS_KEY', '')
param rotatingSecretsKey = bool(readEnvironmentVariable('VIRAL_ROTATING', 'false'))
param secretsExpireAt = int(readEnvironmentVariable('VIRAL_SECRETS_EXPIRE_AT', '0'))
