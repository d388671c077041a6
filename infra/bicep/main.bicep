import { texts } from 'modules/types.bicep'
import { sizes } from 'sizes.bicep'

targetScope = 'subscription'

metadata description = 'Viral Engine on Azure. This file wires, the modules define, and sizes.bicep has what differs between sizes.'

@description('Name of the environment, such as dev or prod; part of every name.')
@minLength(2)
@maxLength(12)
param environmentName string

@description('Region of every resource.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Tags of every resource, beside those that say what it belongs to.')
param extraTags texts = {}

@description('Which line-up of sizes.bicep: to look at, to work on, or to rely on.')
@allowed(['try', 'dev', 'prod'])
param size string = 'try'

@description('Addresses of the network; a /22 or larger.')
param networkAddressPrefix string = '10.60.0.0/22'

@description('A person who administers PostgreSQL beside the migration identity: object id in Entra; empty for nobody.')
param operatorObjectId string = ''

@description('User principal name of that person.')
param operatorName string = ''

@description('What that is, when it is not a person.')
@allowed(['User', 'ServicePrincipal', 'Group'])
param operatorType string = 'User'

@description('Storage that PostgreSQL has grown to, in GB. Asking for less than there is fails a deployment.')
param postgresStorageGb int = 0

@description('Name of the server, when it came out of a restore; empty for the one that is made here.')
param postgresServerName string = ''

@description('Name of the task hub, letters and digits; another one leaves all orchestrations behind. Empty for the first.')
param taskHubName string = ''

@description('Front Door with a firewall before the app: none, one that writes down, or one that refuses.')
@allowed(['None', 'Detection', 'Prevention'])
param firewall string = 'None'

@description('Whether Azure Policy holds the resource group against the Microsoft cloud security benchmark.')
param auditPolicies bool = false

@description('Where orchestrations are kept. The scheduler needs a package built with DurableStorage=azuremanaged.')
@allowed(['AzureStorage', 'SchedulerConsumption', 'SchedulerDedicated'])
param durableStorage string = 'AzureStorage'

@description('Address that alerts are mailed to; empty to have them in the portal only.')
param alertEmail string = ''

@description('First day of the month that the budget begins in, such as 2026-11-01; empty for no budget.')
param budgetStart string = ''

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

@description('Id of the owner of that repository; empty when it is older than 15 July 2026 and was not renamed since.')
param githubOwnerId string = ''

@description('Id of that repository; empty when it is older than 15 July 2026 and was not renamed since.')
param githubRepositoryId string = ''

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

@description('When secrets that are given now end, in seconds since 1970; 0 for never.')
param secretsExpireAt int = 0

@description('What the size consists of.')
var chosen = sizes[size]

@description('The environment as names have it: several kinds of resources take small letters only.')
var environmentKey = toLower(environmentName)

@description('The same environment in the same subscription and region always has the same names.')
var token = uniqueString(subscription().id, environmentKey, location)

@description('What most names end with.')
var suffix = 'viral-${environmentKey}-${take(token, 5)}'

@description('Names that more than one module needs.')
var names = {
  storage: 'stviral${token}'
  packages: 'stpkg${token}'
  vault: 'kv-viral-${token}'
  component: 'appi-${suffix}'
  scheduler: 'dts-${suffix}'
  app: 'id-${suffix}-app'
  migration: 'id-${suffix}-migration'
  package: 'id-${suffix}-package'
  frontDoor: 'afd-${suffix}'
  postgres: empty(postgresServerName) ? 'psql-${suffix}' : toLower(postgresServerName)
  database: 'viral'
  // Letters and digits only.
  taskHub: empty(taskHubName)
    ? 'viral${replace(replace(replace(environmentKey, '-', ''), '_', ''), '.', '')}'
    : taskHubName
}

@description('Tags of every resource.')
var tags = union(
  extraTags,
  { application: 'viral-engine', environment: environmentName, 'azd-env-name': environmentName }
)

@description('Whether everything is behind private endpoints, or only PostgreSQL.')
var private = chosen.privateNetworking

@description('Whether there is a Redis.')
var cached = !empty(chosen.redisSkuName)

@description('Whether requests come through Front Door.')
var fronted = firewall != 'None'

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

@description('What is reached privately, and by which part. PostgreSQL always: no firewall has to let the app in.')
var privateParts = concat(
  [{ kind: 'postgres', zone: 'postgres', group: 'postgresqlServer', target: names.postgres }],
  private
    ? [
        { kind: 'blob', zone: 'blob', group: 'blob', target: '' }
        { kind: 'queue', zone: 'queue', group: 'queue', target: '' }
        { kind: 'table', zone: 'table', group: 'table', target: '' }
        { kind: 'packages', zone: 'blob', group: 'blob', target: '' }
        { kind: 'vault', zone: 'vault', group: 'vault', target: '' }
      ]
    : [],
  private && cached ? [{ kind: 'redis', zone: 'redis', group: 'redisEnterprise', target: '' }] : [],
  private && scheduled ? [{ kind: 'scheduler', zone: 'scheduler', group: 'scheduler', target: '' }] : []
)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-viral-${environmentKey}'
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
    retentionDays: chosen.telemetryDays
    dailyQuotaGb: chosen.telemetryDailyGb
  }
}

module identities 'modules/identities.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    appIdentityName: names.app
    migrationIdentityName: names.migration
    packageIdentityName: names.package
    githubRepository: githubRepository
    githubOwnerId: githubOwnerId
    githubRepositoryId: githubRepositoryId
    githubEnvironment: environmentName
  }
}

module network 'modules/network.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    networkName: 'vnet-${suffix}'
    addressPrefix: networkAddressPrefix
    private: private
    dnsZoneNames: map(filter(privateParts, part => part.kind == part.zone), part => zoneNames[part.zone])
    workspaceId: monitoring.outputs.workspaceId
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    accountName: names.storage
    skuName: chosen.storageSkuName
    private: private
    workspaceId: monitoring.outputs.workspaceId
  }
}

module packages 'modules/packages.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    accountName: names.packages
    skuName: chosen.storageSkuName
    containerName: 'packages'
    private: private
    workspaceId: monitoring.outputs.workspaceId
  }
}

module registry 'modules/registry.bicep' = if (private) {
  scope: group
  params: {
    location: location
    tags: tags
    registryName: 'crviral${token}'
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    vaultName: names.vault
    purgeProtection: chosen.purgeProtection
    locked: chosen.lockData
    expireAt: secretsExpireAt
    private: private
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
    serverName: names.postgres
    size: chosen.postgres
    storageGb: max(chosen.postgres.storageGb, postgresStorageGb)
    locked: chosen.lockData
    private: private
    // The server names an administrator by its object id, which what-if cannot know before the identity exists.
    #disable-next-line what-if-short-circuiting
    administratorPrincipalId: identities.outputs.migration.principalId
    administratorName: identities.outputs.migration.name
    operatorObjectId: operatorObjectId
    operatorName: operatorName
    operatorType: operatorType
    workspaceId: monitoring.outputs.workspaceId
  }
}

module redis 'modules/redis.bicep' = if (cached) {
  scope: group
  params: {
    location: location
    tags: tags
    clusterName: 'amr-${suffix}'
    skuName: chosen.redisSkuName
    highAvailability: chosen.redisHighAvailability
    private: private
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
    private: private
    networkAddressPrefix: networkAddressPrefix
    workspaceId: monitoring.outputs.workspaceId
  }
}

module endpoints 'modules/private-endpoint.bicep' = [
  for part in privateParts: {
    scope: group
    params: {
      location: location
      tags: tags
      // Another server has another endpoint: the target of one that is there cannot be changed.
      endpointName: empty(part.target) ? 'pep-${part.kind}-${suffix}' : 'pep-${part.target}'
      resourceId: {
        blob: storage.outputs.accountId
        packages: packages.outputs.accountId
        queue: storage.outputs.accountId
        table: storage.outputs.accountId
        vault: vault.outputs.vaultId
        postgres: database.outputs.serverId
        redis: cached ? redis!.outputs.clusterId : ''
        scheduler: scheduled ? scheduler!.outputs.schedulerId : ''
      }[part.kind]
      groupId: part.group
      subnetId: network.outputs.endpointSubnetId
      dnsZoneName: zoneNames[part.zone]
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
    roles: concat(
      map(concat(appRoles, scheduled ? [{ name: 'Durable Task Data Contributor', on: 'scheduler' }] : []), role => {
        identityName: names.app
        principalId: identities.outputs.app.principalId
        name: role.name
        on: role.on
      }),
      [
        {
          identityName: names.package
          principalId: identities.outputs.package.principalId
          name: 'Storage Blob Data Contributor'
          on: 'packages'
        }
      ]
    )
    packagesAccountName: names.packages
    storageAccountName: names.storage
    vaultName: names.vault
    componentName: names.component
    schedulerName: names.scheduler
  }
  dependsOn: [monitoring, storage, packages, vault, scheduler]
}

@description('What Key Vault references begin with.')
var reference = '@Microsoft.KeyVault(VaultName=${names.vault};SecretName='

// A lane is one activity of up to 256 calls, and an instance makes 2,560 (Lanes__CallsPerLane and CallsPerInstance):
// ten lanes fill it. Ten more turns may drain beside them, and twelve places are for what is short: steps of workflows,
// their webhooks, and the beginnings and ends of batches. The platform divides waiting activities by this number to
// know how many instances it takes: with hundreds of places, it asks for one where many are needed.
@description('Activities that one instance runs at a time. tools/azure/package.sh writes it into the package, too.')
var activitiesPerInstance = '32'

@description('Settings that are there only when they have a value.')
var optionalSettings = union(
  empty(authAuthority) ? {} : { Auth__Authority: authAuthority, Auth__Audience: authAudience },
  cached
    ? { ConnectionStrings__Redis: '${redis!.outputs.host}:${redis!.outputs.port},ssl=true,abortConnect=false' }
    : {},
  fronted ? { Edge__FrontDoorId: frontDoor!.outputs.frontDoorId } : {},
  empty(otlpEndpoint) ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint },
  rotatingSecretsKey ? { Secrets__Keys__1: '${reference}secrets-key-previous)' } : {}
)

module frontDoor 'modules/front-door.bicep' = if (fronted) {
  scope: group
  params: {
    tags: tags
    profileName: names.frontDoor
    endpointName: suffix
    policyName: 'waf${replace(suffix, '-', '')}'
    mode: firewall == 'Prevention' ? 'Prevention' : 'Detection'
    workspaceId: monitoring.outputs.workspaceId
  }
}

module app 'modules/function-app.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    planName: 'plan-${suffix}'
    appName: 'func-${suffix}'
    appIdentity: identities.outputs.app
    packageIdentity: identities.outputs.package
    private: private
    subnetId: network.outputs.appSubnetId
    fronted: fronted
    frontDoorId: fronted ? frontDoor!.outputs.frontDoorId : ''
    scale: chosen.scale
    packageContainerUrl: packages.outputs.containerUrl
    storageAccountName: names.storage
    insightsConnectionString: monitoring.outputs.connectionString
    workspaceId: monitoring.outputs.workspaceId
    settings: union(
      {
        Azure__UseManagedIdentity: 'true'
        TaskHubName: names.taskHub
        AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions: activitiesPerInstance
        SweepSchedule: chosen.sweepSchedule
        Auth__PlatformKey: '${reference}platform-key)'
        Secrets__Keys__0: '${reference}secrets-key-newest)'
        ConnectionStrings__Postgres: join(
          [
            'Host=${database.outputs.host}'
            'Port=${database.outputs.pooledPort}'
            'Database=${names.database}'
            'Username=${names.app}'
            'SSL Mode=VerifyFull'
            'Maximum Pool Size=${chosen.poolSize}'
            'No Reset On Close=true'
            'Application Name=viral-engine'
          ],
          ';'
        )
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

module origin 'modules/front-door-origin.bicep' = if (fronted) {
  scope: group
  params: {
    profileName: names.frontDoor
    endpointName: suffix
    appHost: app.outputs.host
  }
}

module policies 'modules/policies.bicep' = if (auditPolicies) {
  scope: group
  params: { suffix: suffix }
}

@description('Name that the API is reached by.')
var apiHost = fronted ? frontDoor!.outputs.host : app.outputs.host

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
    cached: cached
    redisId: cached ? redis!.outputs.clusterId : ''
    storageId: storage.outputs.accountId
    vaultName: names.vault
    connections: chosen.connectionsAlert
    availabilityTest: chosen.availabilityTest
    frequency: chosen.alertFrequency
    monthlyBudget: chosen.monthlyBudget
    budgetStart: budgetStart
    appHost: apiHost
    queueAgeSeconds: queueAgeSeconds
  }
  dependsOn: [vault]
}

@description('Resource group of everything.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output VIRAL_APP_NAME string = app.outputs.appName

@description('Address of the API.')
output VIRAL_URL string = 'https://${apiHost}'

@description('Name of the vault that holds the platform key.')
output VIRAL_VAULT_NAME string = vault.outputs.vaultName

@description('Where orchestrations are kept, which the package must have been built for.')
output VIRAL_DURABLE_STORAGE string = durableStorage

@description('Name of the task hub.')
output VIRAL_TASK_HUB string = names.taskHub

@description('Name of the PostgreSQL server.')
output VIRAL_POSTGRES_SERVER string = database.outputs.serverName

@description('Registry of the image that migrates; empty where the database is migrated from outside.')
output VIRAL_REGISTRY string = private ? registry!.outputs.registryName : ''

@description('Subnet that the migrating container runs in; empty where the database is migrated from outside.')
output VIRAL_MIGRATION_SUBNET string = network.outputs.migrationSubnetId

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
output VIRAL_EGRESS_ADDRESS string = network.outputs.egressAddress
