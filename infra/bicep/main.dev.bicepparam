// Development: one of each, nothing kept warm, data reached through public names that only Entra identities get past.
using 'main.bicep'

param environmentName = 'dev'
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param alertEmail = readEnvironmentVariable('VIRAL_ALERT_EMAIL', '')
param githubRepository = readEnvironmentVariable('VIRAL_GITHUB_REPOSITORY', '')

// 0.0.0.0 is Azure's word for its own services, the app among them.
param postgresAllowedAddresses = [{ name: 'azure-services', start: '0.0.0.0', end: '0.0.0.0' }]

// Secrets come from the environment and are in no file. One that is empty leaves the stored one as it is.
param platformKey = readEnvironmentVariable('VIRAL_PLATFORM_KEY', '')
param secretsKey = readEnvironmentVariable('VIRAL_SECRETS_KEY', '')
param previousSecretsKey = readEnvironmentVariable('VIRAL_PREVIOUS_SECRETS_KEY', '')
param rotatingSecretsKey = bool(readEnvironmentVariable('VIRAL_ROTATING', 'false'))
