// What azd deploys: names and region from its environment (azd env set NAME VALUE), sizes as small as they come.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param alertEmail = readEnvironmentVariable('VIRAL_ALERT_EMAIL', '')
param githubRepository = readEnvironmentVariable('VIRAL_GITHUB_REPOSITORY', '')
param authAuthority = readEnvironmentVariable('VIRAL_AUTH_AUTHORITY', '')
param authAudience = readEnvironmentVariable('VIRAL_AUTH_AUDIENCE', '')

// Whoever runs azd migrates the database from where they are; tools/azure/operator.sh finds out who that is.
param operatorObjectId = readEnvironmentVariable('VIRAL_OPERATOR_OBJECT_ID', '')
param operatorName = readEnvironmentVariable('VIRAL_OPERATOR_NAME', '')
@description('Address of whoever migrates the database from where azd runs.')
var myAddress = readEnvironmentVariable('VIRAL_MY_ADDRESS', '')
param postgresAllowedAddresses = concat(
  [{ name: 'azure-services', start: '0.0.0.0', end: '0.0.0.0' }],
  empty(myAddress) ? [] : [{ name: 'me', start: myAddress, end: myAddress }]
)

// Secrets come from the environment and are in no file. One that is empty leaves the stored one as it is.
param platformKey = readEnvironmentVariable('VIRAL_PLATFORM_KEY', '')
param secretsKey = readEnvironmentVariable('VIRAL_SECRETS_KEY', '')
param previousSecretsKey = readEnvironmentVariable('VIRAL_PREVIOUS_SECRETS_KEY', '')
param rotatingSecretsKey = bool(readEnvironmentVariable('VIRAL_ROTATING', 'false'))
