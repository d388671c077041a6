import { texts } from 'modules/types.bicep'
import { addressRange, postgresSize } from 'modules/postgres.bicep'
import { scaleLimits } from 'modules/function-app.bicep'

targetScope = 'subscription'

metadata description = 'Viral Engine on Azure. This file wires; the modules define. Sizes differ by parameter file.'

@description('Name of the environment, such as dev or prod; part of every name.')
@minLength(2)
@maxLength(12)
param environmentName string

@description('Region of every resource.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Tags of every resource, beside those that say what it belongs to.')
param extraTags texts = {}

@description('Whether data is reached through private endpoints only. Off saves their price and the NAT gateway.')
param privateNetworking bool = false

@description('Addresses of the private network; a /22 or larger.')
param networkAddressPrefix string = '10.60.0.0/22'

@description('Addresses that may reach PostgreSQL while networking is not private; Entra still asks who they are.')
param postgresAllowedAddresses addressRange[] = []

@description('A person who administers PostgreSQL beside the migration identity: object id in Entra; empty for nobody.')
param operatorObjectId string = ''

@description('User principal name of that person.')
param operatorName string = ''

@description('Size of PostgreSQL.')
param postgres postgresSize = {
  skuName: 'Standard_D2ds_v5'
  tier: 'GeneralPurpose'
  storageGb: 32
  zoneRedundant: false
  backupDays: 7
  geoBackup: false
}

@description('Size of Redis.')
param redisSkuName string = 'Balanced_B0'

@description('Two Redis nodes instead of one.')
param redisHighAvailability bool = false

@description('Replication of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GZRS'])
param storageSkuName string = 'Standard_LRS'

@description('How far the app scales.')
param scale scaleLimits = {
  instanceMemoryMb: 2048
  maximumInstances: 40
  alwaysReadyHttp: 0
  alwaysReadyDurable: 0
  httpPerInstance: 100
  zoneRedundant: false
}

@description('Where orchestrations are kept. The scheduler needs a package built with DurableStorage=azuremanaged.')
@allowed(['AzureStorage', 'SchedulerConsumption', 'SchedulerDedicated'])
param durableStorage string = 'AzureStorage'

@description('Days that telemetry is kept.')
param telemetryDays int = 30

@description('Most telemetry taken in per day, in GB; -1 for no cap.')
param telemetryDailyGb int = 1

@description('Address that alerts are mailed to; empty to have them in the portal only.')
param alertEmail string = ''

@description('Seconds that a due task may wait before somebody is told.')
param queueAgeSeconds int = 60

@description('OIDC authority whose JWTs are accepted; empty to accept API keys only.')
param authAuthority string = ''

@description('Audience that those JWTs must be for.')
param authAudience string = ''

@description('Where telemetry goes by OTLP, beside Application Insights; empty for nowhere.')
param otlpEndpoint string = ''

@description('GitHub repository (owner/name) that may migrate the database; empty for none.')
param githubRepository string = ''

@description('Further settings of the app, by name.')
param extraSettings texts = {}

@description('Key that creates organizations, 32 characters or more; empty to keep the stored one.')
@secure()
param platformKey string

@description('Newest key of the ring that encrypts secrets of tenants; empty to keep the stored one.')
@secure()
param secretsKey string

@description('Key before the newest one, while a rotation is going on; empty to keep the stored one.')
@secure()
param previousSecretsKey string

@description('Whether a rotation of the key ring is going on: the app then reads the previous key too.')
param rotatingSecretsKey bool = false

@description('The same environment in the same subscription and region always has the same names.')
var token = uniqueString(subscription().id, environmentName, location)

@description('What most names end with.')
var suffix = 'viral-${environmentName}-${take(token, 5)}'

@description('Names that more than one module needs.')
var names = {
  storage: 'stviral${token}'
  vault: 'kv-viral-${token}'
  component: 'appi-${suffix}'
  scheduler: 'dts-${suffix}'
  app: 'id-${suffix}-app'
  migration: 'id-${suffix}-migration'
  database: 'viral'
  // Letters and digits only.
  taskHub: 'viral${replace(replace(replace(environmentName, '-', ''), '_', ''), '.', '')}'
}

@description('Tags of every resource.')
var tags = union(
  extraTags,
  { application: 'viral-engine', environment: environmentName, 'azd-env-name': environmentName }
)

@description('Whether the Durable Task Scheduler keeps orchestrations.')
var scheduled = durableStorage != 'AzureStorage'

@description('Private DNS zones by what they are for.')
var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  vault: 'privatelink.vaultcore.azure.net'
  postgres: 'privatelink.postgres.database.azure.com'
  redis: 'privatelink.redis.azure.net'
  scheduler: 'privatelink.durabletask.io'
}

@description('What is reached privately, and by which part.')
var privateParts = concat(
  [
    { kind: 'blob', group: 'blob' }
    { kind: 'queue', group: 'queue' }
    { kind: 'table', group: 'table' }
    { kind: 'vault', group: 'vault' }
    { kind: 'postgres', group: 'postgresqlServer' }
    { kind: 'redis', group: 'redisEnterprise' }
  ],
  scheduled ? [{ kind: 'scheduler', group: 'scheduler' }] : []
)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-viral-${environmentName}'
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceName: 'log-${suffix}'
    componentName: names.component
    retentionDays: telemetryDays
    dailyQuotaGb: telemetryDailyGb
  }
}

module identities 'modules/identities.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    appIdentityName: names.app
    migrationIdentityName: names.migration
    githubRepository: githubRepository
    githubEnvironment: environmentName
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  scope: group
  params: {
    location: location
    tags: tags
    networkName: 'vnet-${suffix}'
    addressPrefix: networkAddressPrefix
    dnsZoneNames: map(privateParts, part => zoneNames[part.kind])
    workspaceId: monitoring.outputs.workspaceId
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    accountName: names.storage
    skuName: storageSkuName
    private: privateNetworking
    packageContainerName: 'packages'
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    vaultName: names.vault
    private: privateNetworking
    workspaceId: monitoring.outputs.workspaceId
    platformKey: platformKey
    secretsKey: secretsKey
    previousSecretsKey: previousSecretsKey
  }
}

module database 'modules/postgres.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    serverName: 'psql-${suffix}'
    databaseName: names.database
    size: postgres
    private: privateNetworking
    allowedAddresses: postgresAllowedAddresses
    // The server names an administrator by its object id, which what-if cannot know before the identity exists.
    #disable-next-line what-if-short-circuiting
    administratorPrincipalId: identities.outputs.migration.principalId
    administratorName: identities.outputs.migration.name
    operatorObjectId: operatorObjectId
    operatorName: operatorName
    workspaceId: monitoring.outputs.workspaceId
  }
}

module redis 'modules/redis.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    clusterName: 'amr-${suffix}'
    skuName: redisSkuName
    highAvailability: redisHighAvailability
    private: privateNetworking
    userPrincipalId: identities.outputs.app.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module scheduler 'modules/scheduler.bicep' = if (scheduled) {
  scope: group
  params: {
    location: location
    tags: tags
    schedulerName: names.scheduler
    taskHubName: names.taskHub
    skuName: durableStorage == 'SchedulerDedicated' ? 'Dedicated' : 'Consumption'
    private: privateNetworking
    networkAddressPrefix: networkAddressPrefix
    workspaceId: monitoring.outputs.workspaceId
  }
}

module endpoints 'modules/private-endpoint.bicep' = [
  for part in privateParts: if (privateNetworking) {
    scope: group
    params: {
      location: location
      tags: tags
      endpointName: 'pep-${part.kind}-${suffix}'
      resourceId: {
        blob: storage.outputs.accountId
        queue: storage.outputs.accountId
        table: storage.outputs.accountId
        vault: vault.outputs.vaultId
        postgres: database.outputs.serverId
        redis: redis.outputs.clusterId
        scheduler: scheduled ? scheduler!.outputs.schedulerId : ''
      }[part.kind]
      groupId: part.group
      subnetId: network!.outputs.endpointSubnetId
      dnsZoneName: zoneNames[part.kind]
    }
  }
]

@description('Roles of the app on the resources that are always there.')
var appRoles = [
  { name: 'Storage Blob Data Owner', on: 'storage' }
  { name: 'Storage Queue Data Contributor', on: 'storage' }
  { name: 'Storage Table Data Contributor', on: 'storage' }
  { name: 'Key Vault Secrets User', on: 'vault' }
  { name: 'Monitoring Metrics Publisher', on: 'component' }
]

// PostgreSQL and Redis have roles of their own: the administrator of the one and the access policy of the other are
// in their modules.
module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    roles: [
      for role in concat(appRoles, scheduled ? [{ name: 'Durable Task Data Contributor', on: 'scheduler' }] : []): {
        identityName: names.app
        principalId: identities.outputs.app.principalId
        name: role.name
        on: role.on
      }
    ]
    storageAccountName: names.storage
    vaultName: names.vault
    componentName: names.component
    schedulerName: names.scheduler
  }
  dependsOn: [monitoring, storage, vault, scheduler]
}

@description('What Key Vault references begin with.')
var reference = '@Microsoft.KeyVault(VaultName=${names.vault};SecretName='

@description('Settings that are there only when they have a value.')
var optionalSettings = union(
  empty(authAuthority) ? {} : { Auth__Authority: authAuthority, Auth__Audience: authAudience },
  empty(otlpEndpoint) ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint },
  rotatingSecretsKey ? { Secrets__Keys__1: '${reference}secrets-key-previous)' } : {}
)

module app 'modules/function-app.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    planName: 'plan-${suffix}'
    appName: 'func-${suffix}'
    appIdentity: identities.outputs.app
    private: privateNetworking
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    scale: scale
    packageContainerUrl: storage.outputs.packageContainerUrl
    storageAccountName: names.storage
    insightsConnectionString: monitoring.outputs.connectionString
    workspaceId: monitoring.outputs.workspaceId
    settings: union(
      {
        Azure__UseManagedIdentity: 'true'
        TaskHubName: names.taskHub
        // Fewer than the activities that host.json lets an instance run: single tasks find room beside batches.
        Batches__LanesPerInstance: '32'
        Auth__PlatformKey: '${reference}platform-key)'
        Secrets__Keys__0: '${reference}secrets-key-newest)'
        ConnectionStrings__Postgres: join(
          [
            'Host=${database.outputs.host}'
            'Port=${database.outputs.pooledPort}'
            'Database=${names.database}'
            'Username=${names.app}'
            'SSL Mode=VerifyFull'
            'Maximum Pool Size=30'
            'No Reset On Close=true'
            'Application Name=viral-engine'
          ],
          ';'
        )
        ConnectionStrings__Redis: '${redis.outputs.host}:${redis.outputs.port},ssl=true,abortConnect=false'
      },
      scheduled
        ? {
            DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${scheduler!.outputs.endpoint};Authentication=ManagedIdentity;ClientID=${identities.outputs.app.clientId}'
            AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
            AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
          }
        : {},
      optionalSettings,
      extraSettings
    )
  }
  // Without its roles the app could read neither its package nor its secrets.
  dependsOn: [roles, endpoints]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    prefix: suffix
    email: alertEmail
    workspaceId: monitoring.outputs.workspaceId
    componentId: monitoring.outputs.componentId
    postgresId: database.outputs.serverId
    redisId: redis.outputs.clusterId
    appHost: app.outputs.host
    queueAgeSeconds: queueAgeSeconds
  }
}

@description('Resource group of everything.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output VIRAL_APP_NAME string = app.outputs.appName

@description('Address of the API.')
output VIRAL_URL string = 'https://${app.outputs.host}'

@description('Name of the vault that holds the platform key.')
output VIRAL_VAULT_NAME string = vault.outputs.vaultName

@description('Storage account that packages are kept in.')
output VIRAL_STORAGE_ACCOUNT string = storage.outputs.accountName

@description('PostgreSQL server; migrations go to port 5432 of it, past PgBouncer.')
output VIRAL_POSTGRES_HOST string = database.outputs.host

@description('Name of the database.')
output VIRAL_POSTGRES_DATABASE string = names.database

@description('PostgreSQL role, and identity, that migrates.')
output VIRAL_MIGRATION_IDENTITY string = identities.outputs.migration.name

@description('Client id that the workflow signs in with to migrate.')
output VIRAL_MIGRATION_CLIENT_ID string = identities.outputs.migration.clientId

@description('PostgreSQL role, and identity, that the app has.')
output VIRAL_APP_IDENTITY string = identities.outputs.app.name

@description('Object id of the identity of the app, by which PostgreSQL learns of it.')
output VIRAL_APP_PRINCIPAL_ID string = identities.outputs.app.principalId

@description('Address that the app calls others from; empty while networking is not private.')
output VIRAL_EGRESS_ADDRESS string = privateNetworking ? network!.outputs.egressAddress : ''
