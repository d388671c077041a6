import { texts } from 'types.bicep'

metadata description = 'PostgreSQL Flexible Server: Entra logins only, PgBouncer in front.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the server.')
param serverName string

@description('Size of the server.')
param size postgresSize

@description('Storage in GB. It grows by itself and never shrinks, so after that it is more than the size says.')
param storageGb int

@description('Whether the server cannot be deleted before its lock is.')
param locked bool

@description('Whether a private endpoint is the only way in.')
param private bool

@description('Object id of the identity that migrates the schema.')
param administratorPrincipalId string

@description('Name of the identity that migrates the schema.')
param administratorName string

@description('Object id of whoever administers the server too, mostly a person; empty for nobody.')
param operatorObjectId string

@description('Name of whoever that is in Entra, which is the login too.')
param operatorName string

@description('What that is in Entra.')
param operatorType 'User' | 'ServicePrincipal' | 'Group'

@description('Id of the workspace that diagnostics go to.')
param workspaceId string

@description('Compute, storage and how much loss is survived.')
@export()
type postgresSize = {
  @description('Compute size, such as Standard_D2ds_v5.')
  skuName: string

  @description('Tier that the compute size belongs to. PgBouncer is not offered on Burstable.')
  tier: 'Burstable' | 'GeneralPurpose' | 'MemoryOptimized'

  @description('Storage at the start, in GB; it grows by itself.')
  storageGb: int

  @description('A standby in another zone takes over within two minutes.')
  zoneRedundant: bool

  @description('Days that any moment can be restored to.')
  @minValue(7)
  @maxValue(35)
  backupDays: int

  @description('Backups are copied to the paired region. Can be chosen only when the server is created.')
  geoBackup: bool
}

@description('PgBouncer needs a tier above Burstable.')
var pooled = size.tier != 'Burstable'

@description('Server parameters that differ from the default, in the order they are set.')
var pooledSettings = pooled
  ? [
      { name: 'pgbouncer.enabled', value: 'true' }
      { name: 'pgbouncer.pool_mode', value: 'transaction' }
      { name: 'pgbouncer.default_pool_size', value: '50' }
      { name: 'pgbouncer.max_prepared_statements', value: '200' }
    ]
  : []

@description('Server parameters of every size.')
var settings = concat(
  [
    { name: 'require_secure_transport', value: 'on' }
    { name: 'ssl_min_protocol_version', value: 'TLSv1.2' }
    { name: 'idle_in_transaction_session_timeout', value: '60000' }
    { name: 'log_lock_waits', value: 'on' }
  ],
  pooledSettings
)

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: serverName
  location: location
  tags: tags
  sku: { name: size.skuName, tier: size.tier }
  properties: {
    version: '17'
    createMode: 'Default'
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    storage: { storageSizeGB: storageGb, autoGrow: 'Enabled' }
    backup: {
      backupRetentionDays: size.backupDays
      geoRedundantBackup: size.geoBackup ? 'Enabled' : 'Disabled'
    }
    highAvailability: { mode: size.zoneRedundant ? 'ZoneRedundant' : 'Disabled' }
    // Even where it is public nobody gets past the firewall, which has no rule: tools/azure/migrate.sh makes one for the
    // address it runs at, and takes it away when it is done.
    network: { publicNetworkAccess: private ? 'Disabled' : 'Enabled' }
    // Sunday, 03:00 UTC.
    maintenanceWindow: { customWindow: 'Enabled', dayOfWeek: 0, startHour: 3, startMinute: 0 }
  }
}

// The server takes one change at a time, and restarts for some: first its parameters, then the administrators one after
// the other. The database is not made here: before there is an administrator it would belong to the platform, and nobody
// could grant on it. tools/azure/migrate.sh makes it, with a role of ours as its owner.
@batchSize(1)
resource parameters 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01' = [
  for setting in settings: {
    parent: server
    name: setting.name
    properties: { value: setting.value, source: 'user-override' }
  }
]

resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = {
  parent: server
  name: administratorPrincipalId
  properties: {
    principalName: administratorName
    principalType: 'ServicePrincipal'
    tenantId: tenant().tenantId
  }
  dependsOn: [parameters]
}

resource person 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = if (!empty(operatorObjectId)) {
  parent: server
  name: empty(operatorObjectId) ? 'nobody' : operatorObjectId
  properties: {
    principalName: operatorName
    principalType: operatorType
    tenantId: tenant().tenantId
  }
  dependsOn: [administrator]
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  scope: server
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'All that is true is in here. Delete this lock first, if you mean it.'
  }
}

#disable-next-line use-recent-api-versions
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: server
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Id of the server.')
output serverId string = server.id

@description('Name of the server.')
output serverName string = server.name

@description('Name that the server is reached by.')
output host string = server.properties.fullyQualifiedDomainName

@description('Port of PgBouncer, or of the server where there is none.')
output pooledPort int = pooled ? 6432 : 5432
