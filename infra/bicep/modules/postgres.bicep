import { texts } from 'types.bicep'

metadata description = 'PostgreSQL Flexible Server: Entra logins only, PgBouncer in front.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the server.')
param serverName string

@description('Name of the database.')
param databaseName string

@description('Size of the server.')
param size postgresSize

@description('Whether a private endpoint is the only way in.')
param private bool

@description('Addresses that may connect while there is no private endpoint.')
param allowedAddresses addressRange[]

@description('Object id of the identity that migrates the schema.')
param administratorPrincipalId string

@description('Name of the identity that migrates the schema.')
param administratorName string

@description('Object id of a person who administers the server too; empty for nobody.')
param operatorObjectId string

@description('User principal name of that person.')
param operatorName string

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

@description('A range of addresses.')
@export()
type addressRange = {
  @description('What it is.')
  name: string

  @description('First address.')
  start: string

  @description('Last address.')
  end: string
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

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2026-10-01' = {
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
    storage: { storageSizeGB: size.storageGb, autoGrow: 'Enabled' }
    backup: {
      backupRetentionDays: size.backupDays
      geoRedundantBackup: size.geoBackup ? 'Enabled' : 'Disabled'
    }
    highAvailability: { mode: size.zoneRedundant ? 'ZoneRedundant' : 'Disabled' }
    network: { publicNetworkAccess: private ? 'Disabled' : 'Enabled' }
    // Sunday, 03:00 UTC.
    maintenanceWindow: { customWindow: 'Enabled', dayOfWeek: 0, startHour: 3, startMinute: 0 }
  }

  resource database 'databases' = {
    name: databaseName
    properties: { charset: 'UTF8', collation: 'en_US.utf8' }
  }
}

resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2026-10-01' = {
  parent: server
  name: administratorPrincipalId
  properties: {
    principalName: administratorName
    principalType: 'ServicePrincipal'
    tenantId: tenant().tenantId
  }
  dependsOn: [server::database]
}

resource person 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2026-10-01' = if (!empty(operatorObjectId)) {
  parent: server
  name: empty(operatorObjectId) ? 'nobody' : operatorObjectId
  properties: {
    principalName: operatorName
    principalType: 'User'
    tenantId: tenant().tenantId
  }
  dependsOn: [administrator]
}

// The server takes one change at a time.
@batchSize(1)
resource parameters 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2026-10-01' = [
  for setting in settings: {
    parent: server
    name: setting.name
    properties: { value: setting.value, source: 'user-override' }
    dependsOn: [administrator, person]
  }
]

@batchSize(1)
resource rules 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2026-10-01' = [
  for range in (private ? [] : allowedAddresses): {
    parent: server
    name: range.name
    properties: { startIpAddress: range.start, endIpAddress: range.end }
    dependsOn: [parameters]
  }
]

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

@description('Name that the server is reached by.')
output host string = server.properties.fullyQualifiedDomainName

@description('Port of PgBouncer, or of the server where there is none.')
output pooledPort int = pooled ? 6432 : 5432
