// Production: private, spread over zones, warm, and able to come back from the loss of a zone or of a region's data.
using 'main.bicep'

param environmentName = 'prod'
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param alertEmail = readEnvironmentVariable('VIRAL_ALERT_EMAIL', '')
param githubRepository = readEnvironmentVariable('VIRAL_GITHUB_REPOSITORY', '')
param authAuthority = readEnvironmentVariable('VIRAL_AUTH_AUTHORITY', '')
param authAudience = readEnvironmentVariable('VIRAL_AUTH_AUDIENCE', '')

param privateNetworking = true

param postgres = {
  skuName: 'Standard_D4ds_v5'
  tier: 'GeneralPurpose'
  storageGb: 256
  zoneRedundant: true
  backupDays: 35
  geoBackup: true
}

param redisSkuName = 'Balanced_B5'
param redisHighAvailability = true
param storageSkuName = 'Standard_ZRS'

// PostgreSQL of this size holds 100 instances of at most 30 connections each, which PgBouncer folds into 50.
param scale = {
  instanceMemoryMb: 2048
  maximumInstances: 100
  alwaysReadyHttp: 2
  alwaysReadyDurable: 2
  httpPerInstance: 100
  zoneRedundant: true
}

param durableStorage = readEnvironmentVariable('VIRAL_DURABLE_STORAGE', 'AzureStorage')
param telemetryDays = 90
param telemetryDailyGb = 20

// Secrets come from the environment and are in no file. One that is empty leaves the stored one as it is.
param platformKey = readEnvironmentVariable('VIRAL_PLATFORM_KEY', '')
param secretsKey = readEnvironmentVariable('VIRAL_SECRETS_KEY', '')
param previousSecretsKey = readEnvironmentVariable('VIRAL_PREVIOUS_SECRETS_KEY', '')
param rotatingSecretsKey = bool(readEnvironmentVariable('VIRAL_ROTATING', 'false'))
